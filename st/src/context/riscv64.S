// Where the first switch to a new thread arrives: an empty stack, aligned to 16 bytes, and a null frame pointer. There
// is no caller, and the unwinder is told so, so that a backtrace of a state thread ends here and not in whatever lies
// above the stack.
        .text
        .p2align 2
        .globl  st_context_entry
        .hidden st_context_entry
        .type   st_context_entry, @function
st_context_entry:
        .cfi_startproc
        .cfi_undefined ra
        call    st_thread_main
        unimp
        .cfi_endproc
        .size   st_context_entry, . - st_context_entry

        .section .note.GNU-stack, "", @progbits
