// What a new thread's first function returns to, says its stack: that it never does. There is no caller, and the
// unwinder is told so, so that a backtrace of a state thread ends here and not in whatever lies above the stack.
        .text
        .globl  st_context_entry
        .hidden st_context_entry
        .type   st_context_entry, @function
st_context_entry:
        .cfi_startproc
        .cfi_undefined rip
        nop     // in place of the call: unwinders look a return address up by the byte before it
        ud2
        .cfi_endproc
        .size   st_context_entry, . - st_context_entry

// st_context_switch(from, to, value): x86_64.h has the drawing.
        .p2align 6
        .globl  st_context_switch
        .hidden st_context_switch
        .type   st_context_switch, @function
st_context_switch:
        .cfi_startproc
        endbr64
        movq    %rsp, 0(%rdi)
        movq    %rbx, 8(%rdi)
        movq    %rbp, 16(%rdi)
        movq    %r12, 24(%rdi)
        movq    %r13, 32(%rdi)
        movq    %r14, 40(%rdi)
        movq    %r15, 48(%rdi)
        movq    0(%rsi), %rsp
        movq    8(%rsi), %rbx
        movq    16(%rsi), %rbp
        movq    24(%rsi), %r12
        movq    32(%rsi), %r13
        movq    40(%rsi), %r14
        movq    48(%rsi), %r15
        movl    %edx, %eax
        popq    %rcx
        .cfi_def_cfa_offset 0
        .cfi_register rip, rcx
        notrack jmpq *%rcx
        .cfi_endproc
        .size   st_context_switch, . - st_context_switch

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
