// Where the first switch to a new thread arrives: an empty stack, aligned to 16 bytes, and a null frame pointer. There
// is no caller, and the unwinder is told so, so that a backtrace of a state thread ends here and not in whatever lies
// above the stack.
        .text
        .p2align 2
        .globl  st_context_entry
        .hidden st_context_entry
        .type   st_context_entry, %function
st_context_entry:
        .cfi_startproc
        .cfi_undefined x30
        hint    #34                     // bti c, which a jump through x17 may arrive at, too
        bl      st_thread_main
        brk     #1
        .cfi_endproc
        .size   st_context_entry, . - st_context_entry

        .section .note.GNU-stack, "", %progbits

// Indirect branches land on a bti (bit 0), and no return address is read from memory unsigned (bit 1).
        .section .note.gnu.property, "a", %note
        .p2align 3
        .long   4, 16, 5
        .asciz  "GNU"
        .long   0xc0000000, 4, 3, 0
