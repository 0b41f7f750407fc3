#!/usr/bin/python3
"""Faults that were planted with the real wrk and a running server, each seen by its gate or told as a reason.

    fault_test.py ARCHBENCH [unittest options]

A fault that cannot be planted without harm to the machine (a wall clock that is set, a processor that gets hot,
a generator's thread that stands still) is planted in what archbench has seen: result_test.cc.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

import campaign_case
from campaign_case import HERE, PATIENCE_S, CampaignCase, plan, private_mounts, server

ONE_CELL = {"servers": [server("plain")], "clients": [6], "blocks": 1}


class Faults(CampaignCase):
    def instead_of_wrk(self, script):
        """An environment in which `script` is called wrk; what it calls WRK is the real one."""
        tools = self.here / "tools"
        tools.mkdir()
        (tools / "wrk").write_text(f"#!/bin/sh\nWRK={shutil.which('wrk')}\n"
                                   f'[ "$1" = -v ] && exec $WRK -v\n{script}\n')
        (tools / "wrk").chmod(0o755)
        return {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}

    # Seen by a gate.

    def test_starved_client_is_the_headline_of_its_cell(self):
        _, cells = self.run_plan(plan(**ONE_CELL | {"servers": [server("unfair")]}))
        self.assertEqual(cells[0]["measurements"]["served_connections"], 5)
        self.assertEqual(self.gate(cells[0], "every_client_served"), ("fail", "labels"))

    def test_client_that_silently_never_connected_invalidates_the_cell(self):
        # By stload: of wrk's report it would show, too, that the counts do not add up.
        stload = Path(campaign_case.ARCHBENCH).with_name("stload")
        liar = self.servers / "stload"
        liar.write_text(f"#!/bin/sh\nexec {stload} $(echo \"$@\" | sed 's/--clients 6 --processes [0-9]*/"
                        "--clients 4 --processes 1/')\n")
        liar.chmod(0o755)
        workload = plan()["workloads"][0] | {"generator": "stload"}
        _, cells = self.run_plan(plan(**ONE_CELL | {"workloads": [workload]}))
        self.assertEqual(cells[0]["measurements"]["connections_established"], 4)
        self.assertEqual(self.gate(cells[0], "no_connect_errors"), ("fail", "invalidates"))

    def test_connections_dropped_at_a_full_queue_label_the_cell(self):
        _, cells = self.run_plan(plan(**ONE_CELL | {"servers": [server("narrow")]}))
        self.assertEqual(self.gate(cells[0], "no_dropped_connections"), ("fail", "labels"))
        self.assertGreater(cells[0]["measurements"]["listen_overflows"], 0)

    def test_limited_cpu_time_invalidates_the_cell(self):
        join, leave = self.narrow_control_group()
        try:
            _, cells = self.run_plan(plan(**ONE_CELL | {"seconds": 1}), preexec_fn=join)
        finally:
            leave()
        self.assertEqual(self.gate(cells[0], "not_throttled"), ("fail", "invalidates"))
        self.assertGreater(cells[0]["measurements"]["throttled_s"], 0)

    def narrow_control_group(self):
        """A control group with a fifth of a CPU: how to join it, and how to remove it."""
        period_us, quota_us = 100_000, 20_000
        for parent, limits in (
            ("/sys/fs/cgroup/cpu", {"cpu.cfs_period_us": f"{period_us}", "cpu.cfs_quota_us": f"{quota_us}"}),
            ("/sys/fs/cgroup", {"cpu.max": f"{quota_us} {period_us}"}),
        ):
            group = Path(parent) / f"archbench-{os.getpid()}"
            try:
                group.mkdir()
                for name, limit in limits.items():
                    (group / name).write_text(limit)
            except OSError:
                if group.exists():
                    group.rmdir()
                continue
            return (lambda: (group / "cgroup.procs").write_text(str(os.getpid()))), group.rmdir
        self.skipTest("no control group with CPU limits may be made here")

    def test_program_that_is_replaced_during_a_campaign_is_noticed(self):
        fake = self.servers / "httpd_edsm"
        fake.unlink()
        fake.write_bytes((HERE / "fake_server.py").read_bytes())
        fake.chmod(0o755)
        process = self.start(plan(servers=[server("plain")], clients=[2], blocks=12))
        while not self.cells():
            time.sleep(0.01)
        # As an installer does it: a new file under the old name. A file that is being started cannot be written to.
        another = self.servers / "another"
        another.write_bytes(fake.read_bytes() + b"# another one\n")
        another.chmod(0o755)
        another.rename(fake)
        process.communicate(timeout=PATIENCE_S)
        verdicts = [self.gate(cell, "right_binary")[0] for cell in self.cells()]
        self.assertEqual((verdicts[0], verdicts[-1]), ("pass", "fail"))

    def test_background_hog_invalidates_the_cells_it_disturbs(self):
        hogs = [subprocess.Popen([sys.executable, "-c", "while True: pass"])
                for _ in range(os.cpu_count() or 1)]
        try:
            _, cells = self.run_plan(plan(servers=[server("late")], clients=[2], blocks=1, seconds=0.5))
        finally:
            for hog in hogs:
                hog.kill()
                hog.wait()
        self.assertEqual(self.gate(cells[0], "machine_quiet"), ("fail", "invalidates"))

    # Told as the reason of a failed cell.

    def test_bad_servers_are_failed_cells_and_the_campaign_goes_on(self):
        models = ("broken", "mortal", "short", "fickle", "plain")
        said, cells = self.run_plan(
            plan(servers=[server(model) for model in models], clients=[2], blocks=1))
        by_model = {cell["model"]: cell for cell in cells}
        self.assertEqual(by_model["plain"]["status"], "ok")
        self.assertIn("meant to be broken", by_model["broken"]["reason"])
        self.assertIn("server ended", by_model["mortal"]["reason"])
        self.assertIn("99 bytes", by_model["short"]["reason"])
        self.assertEqual(self.gate(by_model["fickle"], "body_right"), ("fail", "invalidates"))
        self.assertIn("FAILED", said)

    def test_generator_that_dies_fails_its_cells_and_no_other(self):
        env = self.instead_of_wrk("echo out of luck >&2; exit 7")
        _, cells = self.run_plan(plan(clients=[2], blocks=1), env=env)
        self.assertEqual(len(cells), 2)
        for cell in cells:
            self.assertIn("exit status 7; it said: out of luck", cell["reason"])

    def test_load_that_ends_early_fails_its_cell(self):
        env = self.instead_of_wrk('exec $WRK "$@" --duration 1s')
        _, cells = self.run_plan(plan(**ONE_CELL | {"seconds": 30}), env=env)
        self.assertEqual((cells[0]["status"], cells[0]["reason"]),
                         ("failed", "the generator ended before the window did"))

    @unittest.skipUnless(private_mounts(), "needs mounts of its own (root)")
    def test_full_disk_fails_the_cells_it_meets_and_no_other(self):
        full = self.here / "out/filler"

        def fill(seen_there):
            with (seen_there / full.relative_to("/")).open("wb", buffering=0) as file:
                try:
                    while file.write(bytes(4096)):
                        pass
                except OSError:
                    pass

        self.expect_failures_between(fill, lambda seen_there: (seen_there / full.relative_to("/")).unlink())

    @unittest.skipUnless(private_mounts(), "needs mounts of its own (root)")
    def test_results_that_become_read_only_fail_the_cells_they_meet_and_no_other(self):
        raw = str(self.here / "out/raw")

        def there(seen_there, *command):
            process = seen_there.parent.name
            subprocess.run(["nsenter", "--target", process, "--mount", *command], check=True)

        self.expect_failures_between(
            lambda seen_there: there(seen_there, "mount", "-t", "tmpfs", "-o", "ro", "none", raw),
            lambda seen_there: there(seen_there, "umount", "--lazy", raw))

    def expect_failures_between(self, spoil, mend):
        """A campaign whose folder, a small disk of its own, is spoiled after a cell and mended after a failed one."""
        (self.here / "out").mkdir()
        # More cells than there is time for: one that fails takes some milliseconds.
        (self.here / "plan.json").write_text(json.dumps(plan(**ONE_CELL | {"blocks": 5000})))
        # What lies on the disk goes with the last process that sees it: what counts is copied.
        keep = "trap '' INT; mount -t tmpfs -o size=2m none out && \"$@\"; cp out/cells.jsonl kept.jsonl"
        process = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", keep, "sh", campaign_case.ARCHBENCH, "run", "plan.json", "--out", "out",
             "--servers", self.servers], cwd=self.here, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            start_new_session=True)
        said = []

        def until(pattern):
            for line in process.stderr:
                said.append(line)
                if re.match(r"\[\d+/5000\] .*" + pattern, line):
                    return
            self.fail(said)

        seen_there = Path(f"/proc/{process.pid}/root")
        until("requests/s")
        spoil(seen_there)
        until("FAILED")
        mend(seen_there)
        until("requests/s")
        os.killpg(process.pid, signal.SIGINT)
        process.stderr.read()
        process.stderr.close()
        process.wait(PATIENCE_S)
        cells = [json.loads(line) for line in (self.here / "kept.jsonl").read_text().splitlines()]
        self.assertEqual(len({cell["cell"] for cell in cells}), len(cells))
        self.assertEqual([cell["block"] for cell in cells], list(range(len(cells))))
        failed = [cell["reason"] for cell in cells if cell["status"] == "failed"]
        self.assertTrue(failed and all(failed), said)
        self.assertEqual((cells[0]["status"], cells[-1]["status"]), ("ok", "ok"), said)

    def test_unfinished_results_of_a_read_only_place_are_one_sentence(self):
        # A file where the folder should be: what root, who may write anywhere, cannot write to either.
        (self.here / "results").write_text("")
        said, _ = self.run_plan(plan(), status=1)
        self.assertIn("results", said)

    def test_stubborn_server_is_killed_and_reported(self):
        _, cells = self.run_plan(plan(servers=[server("stubborn")], clients=[2], blocks=1))
        self.assertIn("server_did_not_stop", [warning["code"] for warning in cells[0]["warnings"]])


if __name__ == "__main__":
    campaign_case.main()
