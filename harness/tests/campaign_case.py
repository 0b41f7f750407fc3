"""What the tests of whole campaigns share: a folder with fake servers, archbench started in it, its cells.

This process takes in the orphans of what it starts (subreaper): a process that archbench leaves behind
is therefore our child, and every test ends by waiting until there is none.
"""

import ctypes
import json
import os
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
ARCHBENCH = ""
PR_SET_CHILD_SUBREAPER = 36
PATIENCE_S = 60  # only a hung test waits that long


def plan(**changes):
    content = json.loads((HERE / "tiny_plan.json").read_text())
    content.update(changes)
    return content


def server(model):
    return {"architecture": "edsm", "model": model}


def private_mounts():
    """May a process have mounts that nobody else sees?"""
    return subprocess.run(["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"],
                          capture_output=True, check=False).returncode == 0


class CampaignCase(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="archbench-")
        self.addCleanup(scratch.cleanup)
        self.addCleanup(self.expect_nothing_left)
        self.here = Path(scratch.name)
        self.servers = self.here / "servers"
        self.servers.mkdir()
        for name in ("mp", "mt", "edsm", "st", "null"):
            (self.servers / f"httpd_{name}").symlink_to(HERE / "fake_server.py")

    def expect_nothing_left(self):
        """Every process that archbench left behind must end by itself, and soon."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            try:
                pid, _ = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                time.sleep(0.01)
        self.fail("archbench left processes behind")

    def start(self, content, *options, **kwargs):
        file = self.here / "plan.json"
        file.write_text(content if isinstance(content, str) else json.dumps(content))
        return subprocess.Popen(
            [ARCHBENCH, "run", str(file), "--servers", str(self.servers), *options],
            cwd=self.here, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **kwargs)

    def run_plan(self, content, *options, status=0, **kwargs):
        """Returns what archbench said and the cells that are there then."""
        process = self.start(content, *options, **kwargs)
        _, said = process.communicate(timeout=PATIENCE_S)
        self.assertEqual(process.returncode, status, said)
        return said, self.cells()

    def cells(self):
        lines = []
        for file in self.here.glob("**/cells.jsonl"):
            lines += [json.loads(line) for line in file.read_text().splitlines()]
        return lines

    def validate(self, folder):
        return subprocess.run([ARCHBENCH, "validate", str(folder)], capture_output=True, text=True,
                              check=False)

    def gate(self, cell, name):
        """(verdict, effect) of a cell's gate."""
        found = [gate for gate in cell["gates"] if gate["name"] == name]
        self.assertEqual(len(found), 1, cell)
        return found[0]["verdict"], found[0]["effect"]


def main():
    """ARCHBENCH [unittest options] on the command line of a test program."""
    global ARCHBENCH
    ARCHBENCH = str(Path(sys.argv.pop(1)).resolve())
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    unittest.main(module="__main__")
