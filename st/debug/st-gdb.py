"""State threads in gdb, live and from core files.

    (gdb) source st-gdb.py
    (gdb) info st-threads                 who there is, what each waits for and since where
    (gdb) st-thread 3                     look at thread 3: bt, frame, info locals, print
    (gdb) st-thread                       which one is looked at
    (gdb) st-thread apply all bt          a command for every thread (or: apply 2 5 bt)

The registers of the process stay as they are, so nothing has to be put back before `continue`, and
core files work too: a thread that waits appears in the backtrace as the caller of the kernel
thread's innermost frame, and that frame is hidden. Going on ends the view.

Threads belong to kernel threads: `thread K` chooses whose are shown. The library must have been
compiled with -g.
"""

import struct

import gdb
from gdb.FrameDecorator import FrameDecorator
from gdb.unwinder import Unwinder

# Stack pointer, frame pointer and where to go on, for each CPU. st::Context (st/src/context) holds them in members sp, fp,
# pc; that of x86-64 has all registers that a call must keep, by their names, and where to go on lies at sp.
REGISTERS = {
    "i386:x86-64": ("rsp", "rbp", "rip"),
    "aarch64": ("sp", "x29", "pc"),
    "riscv:rv64": ("sp", "fp", "pc"),
}
# With ST_CONTEXT=ucontext: where mcontext_t of x86-64 has what a call must keep.
UCONTEXT_X86_64 = {"r12": 4, "r13": 5, "r14": 6, "r15": 7, "rbp": 10, "rbx": 11, "rsp": 15, "rip": 16}
# In how many steps of a cache line a control block may be moved down from the top of its stack (stack.cc).
COLOURS = 16
LINE = 64
POLL_EVENTS = ((1, "in"), (4, "out"), (2, "urgent"))


def address(value):
    return int(value.cast(gdb.lookup_type("unsigned long")))


def page_size():
    for line in gdb.execute("info auxv", to_string=True).splitlines():
        if "AT_PAGESZ" in line:
            return int(line.split()[-1])
    return 4096


def items(linked_list, node_type):
    """The nodes of a st::List, each cast to a pointer to node_type."""
    head = linked_list["head_"]
    node = head["next"]
    while address(node) not in (0, address(head.address)):
        yield node.cast(node_type.pointer())
        node = node["next"]


class Thread:
    """A control block: `value` is the gdb.Value of a _st_thread."""

    def __init__(self, value, scheduler):
        self.value = value
        self.address = address(value.address)
        self.number = 0
        self.running = self.address == address(scheduler["current_"])
        self.primordial = self.address == address(scheduler["primordial_"])

    @property
    def state(self):
        return "running" if self.running else str(self.value["state"]).rsplit("::", 1)[-1]

    @property
    def name(self):
        name = self.value["name"].string(errors="replace")
        return name or ("(primordial)" if self.primordial else "")

    def registers(self):
        """Where it goes on, as {register: value}; not for the running thread."""
        machine = gdb.selected_inferior().architecture().name()
        if machine not in REGISTERS:
            raise gdb.GdbError(f"st: the registers of {machine} are not known; add them to REGISTERS in st-gdb.py")
        context = self.value["context"]
        if self.has_ucontext:
            saved = context["state"].dereference()["uc_mcontext"]["gregs"]
            registers = {name: int(saved[index]) for name, index in UCONTEXT_X86_64.items()}
        elif "rbx" in self.context_members:
            registers = {name: address(context[name]) for name in self.context_members if name != "sp"}
            registers["rip"] = address(context["sp"].cast(gdb.lookup_type("void").pointer().pointer()).dereference())
            registers["rsp"] = address(context["sp"]) + 8
        else:
            registers = {name: address(context[member]) for name, member in zip(REGISTERS[machine], ("sp", "fp", "pc"))}
        # gdb looks callers up by the instruction before, which for a thread that has not begun is another function's.
        pc = REGISTERS[machine][2]
        if registers[pc] == self.entry:
            registers[pc] += 1
        return registers

    @property
    def context_members(self):
        return [field.name for field in self.value["context"].type.fields()]

    @property
    def has_ucontext(self):
        return "state" in self.context_members

    @property
    def entry(self):
        """Where a new thread begins."""
        function = "st_thread_main" if self.has_ucontext or "rbx" in self.context_members else "st_context_entry"
        return int(gdb.parse_and_eval(f"(unsigned long)&{function}"))

    @property
    def begun(self):
        return self.running or self.entry + 1 not in self.registers().values()


class Stacks:
    """Finds control blocks: every pool has its slabs, every slab a row of stacks (stack.cc)."""

    def __init__(self):
        self.type = gdb.lookup_type("_st_thread")
        self.page = page_size()
        fields = {field.name: field.bitpos // 8 for field in self.type.fields()}
        stack = {field.name: field.bitpos // 8 for field in gdb.lookup_type("st::Stack").fields()}
        self.state_at = fields["state"]
        self.low_at = fields["stack"] + stack["low"]

    def control_block(self, base, stride):
        """The address of the control block on the stack at `base`, None if it is free or its memory is not there."""
        reach = self.type.sizeof + max(COLOURS * LINE, self.page // 2)
        try:
            top = bytes(gdb.selected_inferior().read_memory(base + stride - reach, reach))
        except gdb.MemoryError:
            return None
        usual = base // stride % COLOURS
        # st_randomize_stacks() allows others; the block knows to which stack it belongs.
        for step in [usual] + list(range(self.page // 2 // LINE)):
            at = reach - (step + 1) * LINE - self.type.sizeof
            if struct.unpack_from("=Q", top, at + self.low_at)[0] == base + self.page:
                return base + stride - reach + at if top[at + self.state_at] else None
        return None

    def all(self, allocator):
        """The addresses of all control blocks, for each size in the order in which the stacks were cut."""
        pool = allocator["pools_"]
        while pool:
            stride = int(pool["size"]) + self.page
            slabs = []  # (lowest address, stacks cut), the newest first
            slab, uncut = pool["slabs"], int(pool["uncut_count"])
            while slab:
                slabs.append((address(slab["low"]), int(slab["count"]) - uncut))
                slab, uncut = slab["next"], 0
            for low, count in reversed(slabs):
                for index in range(count):
                    block = self.control_block(low + index * stride, stride)
                    if block:
                        yield block
            pool = pool["next"]


def scheduler_here():
    """The st::Scheduler of the selected kernel thread."""
    try:
        scheduler = gdb.parse_and_eval("st::scheduler")
        current = int(scheduler["current_"])
    except gdb.error as error:
        raise gdb.GdbError(f"st: cannot read the scheduler: {error} (is libst in the program, with -g?)")
    if current == 0:
        raise gdb.GdbError("st: this kernel thread has no state threads; choose another: info threads, thread K")
    return scheduler


def threads_here():
    """All that have not been given back, the primordial one first."""
    scheduler = scheduler_here()
    kind = gdb.lookup_type("_st_thread").pointer()
    blocks = [address(scheduler["primordial_"])]
    blocks += Stacks().all(scheduler["stacks"])
    threads = [Thread(gdb.Value(block).cast(kind).dereference(), scheduler) for block in blocks]
    for number, thread in enumerate(threads, 1):
        thread.number = number
    return scheduler, threads


def awaited_descriptors(scheduler):
    """{thread address: what it waits for}, from the queues of all descriptors."""
    waits = {}
    events = scheduler["events"]
    waiter_type = gdb.lookup_type("st::Waiter")
    for chunk in range(int(events["chunk_count_"])):
        watches = events["chunks_"][chunk]
        if not watches:
            continue
        for index in range(256):
            for waiter in items(watches[index]["waiters"], waiter_type):
                asked = int(waiter["events"])
                what = "+".join(word for bit, word in POLL_EVENTS if asked & bit)
                waits.setdefault(address(waiter["thread"]), []).append(f"fd {chunk * 256 + index} {what}")
    return waits


class View(Unwinder):
    """Makes a waiting thread the caller of the innermost frame."""

    def __init__(self):
        super().__init__("state-threads")
        self.thread = None
        self.saved = None  # registers; None: the real ones are shown
        self.inner = None  # pc and sp of the real innermost frame
        self.hidden = 0  # how many real frames come before
        self.past_main = False  # what the user has set

    def __call__(self, pending):
        if not self.saved:
            return None
        sp, _, pc = REGISTERS[pending.architecture().name()]
        here = (int(pending.read_register(pc)), int(pending.read_register(sp)))
        if here != self.inner:
            return None
        # gdb stops at a caller whose frame lies deeper than the callee's, so this one is said to lie below both.
        unwound = pending.create_unwind_info(FrameId(gdb.Value(self.saved[sp] - LINE), gdb.Value(here[0])))
        for name, value in self.saved.items():
            unwound.add_saved_register(name, gdb.Value(value))
        return unwound

    def show(self, thread):
        self.clear()
        self.thread = thread
        gdb.newest_frame().select()
        if thread.running:
            return
        frame = gdb.newest_frame()
        sp, _, _ = REGISTERS[frame.architecture().name()]
        self.hidden = 1
        while frame.type() == gdb.INLINE_FRAME:
            frame = frame.older()
            self.hidden += 1
        self.inner = (frame.pc(), int(frame.read_register(sp)))
        self.saved = thread.registers()
        # The hidden frame may be that of main, beyond which gdb would not look.
        self.past_main = gdb.parameter("backtrace past-main")
        gdb.set_parameter("backtrace past-main", True)
        gdb.invalidate_cached_frames()
        self.first_frame().select()

    def first_frame(self):
        frame = gdb.newest_frame()
        for _ in range(self.hidden):
            frame = frame.older()
            if frame is None:
                raise gdb.GdbError("st: gdb finds no frame where the thread waits (is its stack in the core file?)")
        return frame

    def clear(self, _event=None):
        if self.saved:
            gdb.set_parameter("backtrace past-main", self.past_main)
        self.thread, self.saved, self.hidden = None, None, 0
        gdb.invalidate_cached_frames()


class FrameId:
    def __init__(self, sp, pc):
        self.sp, self.pc = sp, pc


class HideRealFrames:
    """Takes the kernel thread's own innermost frame out of backtraces of another thread."""

    name = "state-threads"
    priority = 100
    enabled = True

    def filter(self, frames):
        for _ in range(view.hidden):
            next(frames, None)
        return map(PlainFrame, frames) if view.hidden else frames


class PlainFrame(FrameDecorator):
    """Functions by name, as in backtraces without a filter."""

    def function(self):
        frame = self.inferior_frame()
        return frame.name() or frame.pc()


def where(thread):
    """The innermost frame that is the program's own, as text."""
    if not thread.begun:
        return f"not begun: {thread.value['start'].format_string(symbols=True, address=False)}"
    view.show(thread)
    frame = view.first_frame()
    while frame.older() and (frame.name() or "?").startswith(("st_", "st::", "_st_", "(anonymous")):
        frame = frame.older()
    place = frame.find_sal()
    line = f" at {place.symtab.filename}:{place.line}" if place.symtab else ""
    return f"{frame.name() or hex(frame.pc())}{line}"


def waits_for(thread, scheduler, descriptors, threads):
    words = descriptors.get(thread.address, [])
    words += [f"thread {other.number}" for other in threads if address(other.value["joiner"]) == thread.address]
    if thread.value["timer"]["link"]:
        left = int(thread.value["timer"]["deadline"]) - int(scheduler["last_clock_"])
        words.append(f"{left / 1e6:.3f} s")
    if thread.value["interrupted"]:
        words.append("interrupted")
    return ", ".join(words)


class InfoStThreads(gdb.Command):
    """State threads of the selected kernel thread: number, address, name, state, what each waits for and where."""

    def __init__(self):
        super().__init__("info st-threads", gdb.COMMAND_STATUS)

    def invoke(self, _argument, _from_tty):
        scheduler, threads = threads_here()
        descriptors = awaited_descriptors(scheduler)
        shown = view.thread.address if view.thread else address(scheduler["current_"])
        before = view.thread
        print(f"  {'Id':<5} {'Address':<18} {'Name':<23} {'State':<10} {'Waits for':<24} Where")
        for thread in threads:
            mark = "*" if thread.address == shown else " "
            waits = waits_for(thread, scheduler, descriptors, threads)
            place = "" if thread.state == "zombie" else where(thread)
            print(f"{mark} {thread.number:<5} {thread.address:<#18x} {thread.name:<23} {thread.state:<10} {waits:<24} {place}")
        view.show(before) if before else view.clear()


class StThread(gdb.Command):
    """st-thread N looks at state thread N (info st-threads); st-thread apply all|N... COMMAND."""

    def __init__(self):
        super().__init__("st-thread", gdb.COMMAND_STACK)

    def invoke(self, argument, _from_tty):
        words = argument.split()
        if not words:
            print(f"st-thread {view.thread.number}" if view.thread else "the running state thread")
        elif words[0] == "apply":
            self.apply(words[1:])
        else:
            view.show(self.chosen(words)[0])
            gdb.execute("frame")

    @staticmethod
    def chosen(words):
        threads = threads_here()[1]
        if words == ["all"]:
            return [thread for thread in threads if thread.state != "zombie"]
        if not all(word.isdigit() and 1 <= int(word) <= len(threads) for word in words):
            raise gdb.GdbError(f"st-thread: {' '.join(words)}: expected numbers from 1 to {len(threads)}, as in info st-threads")
        picked = [threads[int(word) - 1] for word in words]
        if any(thread.state == "zombie" for thread in picked):
            raise gdb.GdbError("st-thread: that thread has ended and waits to be joined")
        return picked

    def apply(self, words):
        count = 1 if words[:1] == ["all"] else len([word for word in words if word.isdigit()])
        command = " ".join(words[count:])
        if not command or count == 0:
            raise gdb.GdbError("usage: st-thread apply all COMMAND, or st-thread apply 2 5 COMMAND")
        before = view.thread
        try:
            for thread in self.chosen(words[:count]):
                view.show(thread)
                name = f' "{thread.name}"' if thread.name else ""
                print(f"\nState thread {thread.number} ({thread.address:#x}){name}, {thread.state}:")
                gdb.execute(command)
        finally:
            view.show(before) if before else view.clear()


view = View()
gdb.unwinder.register_unwinder(None, view, replace=True)
gdb.frame_filters[HideRealFrames.name] = HideRealFrames()
gdb.events.cont.connect(view.clear)
gdb.events.exited.connect(view.clear)
InfoStThreads()
StThread()
