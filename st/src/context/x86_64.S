// Where the first switch to a new thread arrives: an empty stack, aligned to 16 bytes. There is no caller, and the
// unwinder is told so, so that a backtrace of a state thread ends here and not in whatever lies above the stack.
        .text
        .globl  st_context_entry
        .hidden st_context_entry
        .type   st_context_entry, @function
st_context_entry:
        .cfi_startproc
        .cfi_undefined rip
        endbr64
        xorl    %ebp, %ebp
        call    st_thread_main
        ud2
        .cfi_endproc
        .size   st_context_entry, . - st_context_entry

// st_context_call(function, argument, stack_top): the frame pointer keeps the way back, for us and for the unwinder, so
// that an exception passes through.
        .globl  st_context_call
        .hidden st_context_call
        .type   st_context_call, @function
st_context_call:
        .cfi_startproc
        endbr64
        pushq   %rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        movq    %rsp, %rbp
        .cfi_def_cfa_register rbp
        movq    %rdx, %rsp
        movq    %rdi, %rax
        movq    %rsi, %rdi
        call    *%rax
        movq    %rbp, %rsp
        popq    %rbp
        .cfi_def_cfa rsp, 8
        ret
        .cfi_endproc
        .size   st_context_call, . - st_context_call

// What a function marked ST_RETURNS_BY_JUMP returns through; the name is the compiler's. r11 belongs to nobody here.
        .weak   __x86_return_thunk
        .hidden __x86_return_thunk
        .type   __x86_return_thunk, @function
__x86_return_thunk:
        popq    %r11
        jmpq    *%r11
        .size   __x86_return_thunk, . - __x86_return_thunk

        .section .note.GNU-stack, "", @progbits

// Indirect branches land on endbr64 (IBT), but a shadow stack would not follow the switch, so it is not claimed.
        .section .note.gnu.property, "a", @note
        .p2align 3
        .long   4, 16, 5
        .asciz  "GNU"
        .long   0xc0000002, 4, 1, 0
