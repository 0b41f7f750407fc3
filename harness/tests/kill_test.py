#!/usr/bin/python3
"""Campaigns that are killed (SIGKILL) at random instants, again and again, until they are complete.

    kill_test.py ARCHBENCH FAKE_CAMPAIGN [unittest options]

fake_campaign takes no time for a cell, so that most instants fall into writing; archbench with the real
servers and wrk is killed while it starts, loads and stops them. ARCHBENCH_KILLS=180,20 is how often each is
killed. Afterwards no cell is lost, there twice or torn, and the analysis of what is there is that of a campaign
that nobody disturbed.
"""

import ctypes
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
ANALYSE = HERE.parent.parent / "scripts/analyse.py"
ARCHBENCH = FAKE_CAMPAIGN = ""
PR_SET_CHILD_SUBREAPER = 36
PATIENCE_S = 60  # only a hung test waits that long
FAKE_KILLS, REAL_KILLS = map(int, os.environ.get("ARCHBENCH_KILLS", "40,3").split(","))


def analysis(folder):
    """analysis.json of a campaign, which must be possible."""
    done = subprocess.run(["/usr/bin/python3", ANALYSE, folder, "-o", folder / "analysis.json"],
                          stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return json.loads((folder / "analysis.json").read_text())


class Killed(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="archbench-kill-")
        self.addCleanup(scratch.cleanup)
        self.here = Path(scratch.name)
        # A seed of its own each time, printed when a test fails: the instants are what is tested.
        self.seed = random.randrange(1 << 32)
        self.random = random.Random(self.seed)

    def write_plan(self, **changes):
        content = json.loads((HERE / "tiny_plan.json").read_text()) | changes
        (self.here / "plan.json").write_text(json.dumps(content))
        return len(content["servers"]) * len(content["clients"]) * content["blocks"]

    def kill_often(self, command, kills, longest_s):
        """Starts `command` until it has been killed so often; what it had written stays written."""
        killed, before = 0, []
        while killed < kills:
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                       cwd=self.here)
            try:
                process.wait(self.random.uniform(0, longest_s))
                self.assertEqual(process.returncode, 0, f"seed {self.seed}")
                return killed
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                killed += 1
            self.reap_orphans()
            now = self.whole_lines()
            self.assertEqual(now[:len(before)], before, f"seed {self.seed}")
            before = now
        return killed

    def reap_orphans(self):
        """Every process that was left behind must end by itself, and soon."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            try:
                if os.waitpid(-1, os.WNOHANG)[0] == 0:
                    time.sleep(0.005)
            except ChildProcessError:
                return
        self.fail("processes were left behind")

    def whole_lines(self):
        file = self.here / "out/cells.jsonl"
        return file.read_text().split("\n")[:-1] if file.exists() else []

    def expect_complete(self, total):
        cells = [json.loads(line) for line in self.whole_lines()]
        self.assertTrue((self.here / "out/cells.jsonl").read_text().endswith("\n"), f"seed {self.seed}")
        self.assertEqual(len(cells), total, f"seed {self.seed}")
        self.assertEqual(len({cell["cell"] for cell in cells}), total, f"seed {self.seed}")
        orders = [(cell["block"], cell["order"]) for cell in cells]
        self.assertEqual(orders, sorted(orders), f"seed {self.seed}")

    def test_campaign_without_measuring(self):
        # A fresh campaign whenever one gets complete before it has been killed often enough.
        total = self.write_plan(clients=list(range(1, 41)), blocks=6)
        plan, out = self.here / "plan.json", self.here / "out"
        subprocess.run([FAKE_CAMPAIGN, plan, self.here / "whole"], check=True)
        killed = 0
        while killed < FAKE_KILLS:
            shutil.rmtree(out, ignore_errors=True)
            killed += self.kill_often([FAKE_CAMPAIGN, plan, out], FAKE_KILLS - killed, 0.08)
            subprocess.run([FAKE_CAMPAIGN, plan, out], check=True)
            self.expect_complete(total)
            self.assertEqual((out / "cells.jsonl").read_bytes(),
                             (self.here / "whole/cells.jsonl").read_bytes(), f"seed {self.seed}")
        self.assertEqual(analysis(out), analysis(self.here / "whole"))

    def test_campaign_of_real_servers(self):
        # More cells than there is time for, then as many as there are: the rest is not measured.
        total = self.write_plan(
            servers=[{"architecture": "edsm", "model": "epoll", "twin": True}, {"architecture": "mp", "model": "prefork"}],
            clients=[2], warmup_seconds=0, seconds=0.05, blocks=max(6, REAL_KILLS)) * 3 // 2
        command = [ARCHBENCH, "run", self.here / "plan.json", "--out", self.here / "out"]
        self.kill_often(command, REAL_KILLS, 2.5)
        process = subprocess.run(command, cwd=self.here, capture_output=True, text=True, check=False)
        self.assertEqual(process.returncode, 0, process.stderr)
        self.expect_complete(total)
        check = subprocess.run([ARCHBENCH, "validate", self.here / "out"], capture_output=True, text=True,
                               check=False)
        self.assertEqual(check.returncode, 0, check.stdout)
        # The same samples in a folder that knows nothing of the deaths.
        whole = self.here / "whole" / "out"
        (whole / "raw").mkdir(parents=True)
        for name in ("campaign.json", "cells.jsonl", "stop.json"):
            shutil.copy(self.here / "out" / name, whole)
        for cell in map(json.loads, self.whole_lines()):
            for raw in cell["provenance"]["raw"]:
                shutil.copy(self.here / "out" / raw, whole / "raw")
        self.assertEqual(analysis(self.here / "out"), analysis(whole))


if __name__ == "__main__":
    ARCHBENCH, FAKE_CAMPAIGN = sys.argv.pop(1), sys.argv.pop(1)
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    unittest.main()
