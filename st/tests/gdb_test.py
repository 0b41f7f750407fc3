#!/usr/bin/python3
"""Asks gdb about gdb_program.c, running and as a core file.

    gdb_test.py PROGRAM ST-GDB.PY
"""

import re
import resource
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SKIPPED = 77
program, script = (str(Path(argument).resolve()) for argument in sys.argv[1:3])
# {name: (state, what it waits for, the program's own function)}
EXPECTED = {
    "(primordial)": ("running", "", ".*"),
    "the sleeper": ("sleeping", r"\d+\.\d+ s", "sleeper"),
    "the reader": ("on_io", r"fd \d+ in", "reader"),
    "the locker": ("on_mutex", "", "locker"),
    "the cond waiter": ("on_cond", "", "cond_waiter"),
    "the joiner": ("joining", r"thread \d+", "joiner"),
    "the ended": ("zombie", "", ""),
    "the random": ("sleeping", r"\d+\.\d+ s", "sleeper"),
    "the new": ("runnable", "", "not begun: <ended>"),
}


def gdb(*commands: str, target: tuple[str, ...]) -> str:
    arguments = ["gdb", "-batch", "-nx", "-ex", f"source {script}"]
    for command in commands:
        arguments += ["-ex", command]
    done = subprocess.run([*arguments, *target], capture_output=True, text=True, timeout=100,
                          stdin=subprocess.DEVNULL)
    return done.stdout + done.stderr


class Gdb(unittest.TestCase):
    LIVE = ("break everybody_waits", "run")

    def check_list(self, printed: str) -> dict[str, int]:
        """Every thread is listed as expected; returns their numbers."""
        numbers = {}
        for name, (state, waits, function) in EXPECTED.items():
            line = re.search(rf"^[* ] (\d+) +0x[0-9a-f]+ +{re.escape(name)} +{state} +{waits} *(?:{function})", printed, re.M)
            self.assertTrue(line, f"{name}: not as expected in\n{printed}")
            numbers[name] = int(line[1])
        self.assertEqual(len(re.findall(r"^[* ] \d+ +0x", printed, re.M)), len(EXPECTED), printed)
        return numbers

    def check_backtraces(self, printed: str):
        for name, (state, _, function) in EXPECTED.items():
            if state in ("zombie", "running", "runnable"):
                continue
            trace = re.search(rf'^State thread \d+ \(0x[0-9a-f]+\) "{name}", {state}:\n((?:#.*\n)+)', printed, re.M)
            self.assertTrue(trace, f"no backtrace of {name} in\n{printed}")
            self.assertRegex(trace[1], rf"(?m)^#\d+ .* in {function} \(")
            self.assertRegex(trace[1], r"in st_thread_main \(\)")
            # Behind glibc's own beginning of a context, gdb sees a last frame at zero.
            self.assertRegex(trace[1], r" in (st_context_entry \(\).*\n|__start_context \(\).*\n#.*0x0+ in .*\n)$",
                             "the backtrace goes on behind the beginning")

    def test_running_program(self):
        printed = gdb(*self.LIVE, "info st-threads", "st-thread apply all bt", "continue", target=(program,))
        self.check_list(printed)
        self.check_backtraces(printed)
        self.assertIn("exited normally", printed, "the program did not survive being looked at")

    def test_core_file(self):
        pattern = Path("/proc/sys/kernel/core_pattern").read_text().strip()
        if pattern.startswith("|") or "/" in pattern:
            self.skipTest(f"core files go to {pattern}")
        with tempfile.TemporaryDirectory() as directory:
            def allow_core():
                hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
                resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
            subprocess.run([program, "abort"], cwd=directory, preexec_fn=allow_core, check=False, timeout=60)
            cores = list(Path(directory).iterdir())
            if not cores:
                self.skipTest("the system left no core file")
            printed = gdb("info st-threads", "st-thread apply all bt", target=(program, str(cores[0])))
        self.check_list(printed)
        self.check_backtraces(printed)

    def test_one_thread_is_looked_at_and_the_view_ends_with_going_on(self):
        number = self.check_list(gdb(*self.LIVE, "info st-threads", target=(program,)))["the cond waiter"]
        printed = gdb(*self.LIVE, f"st-thread {number}", "st-thread", "frame function cond_waiter",
                      "print local_of_cond_waiter", "st-thread 1", "bt 1", "continue", target=(program,))
        self.assertIn(f"\nst-thread {number}\n", printed)
        self.assertIn("$1 = 4711", printed)
        self.assertRegex(printed.split("$1 = 4711")[1], r"#0 .*everybody_waits")
        self.assertIn("exited normally", printed)

    def test_mistakes_are_sentences(self):
        printed = gdb(*self.LIVE, "st-thread 99", "kill", target=(program,))
        self.assertIn("st-thread: 99: expected numbers from 1 to 9", printed)
        printed = gdb("info st-threads", target=(program,))
        self.assertIn("st: ", printed)


if __name__ == "__main__":
    if not shutil.which("gdb"):
        print("skipped: there is no gdb")
        sys.exit(SKIPPED)
    if "Breakpoint 1, main" not in gdb("break main", "run", "kill", target=(program,)):
        print("skipped: gdb may not run programs here")
        sys.exit(SKIPPED)
    if "class" not in gdb("break main", "run", "ptype st::Scheduler", "kill", target=(program,)):
        print("skipped: the library was compiled without -g")
        sys.exit(SKIPPED)
    unittest.main(argv=sys.argv[:1], verbosity=1)
