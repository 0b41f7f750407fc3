#!/usr/bin/python3
"""Whole campaigns against fake_server.py, with the real wrk.

    campaign_test.py ARCHBENCH [unittest options]
"""

import collections
import json
import os
import shutil
import signal
import subprocess
import time

import campaign_case
from campaign_case import HERE, PATIENCE_S, CampaignCase, plan, server


class Campaigns(CampaignCase):
    def test_every_cell_of_the_plan_is_measured_and_agrees(self):
        _, cells = self.run_plan(plan(), "--out", "out")
        self.assertEqual(len({cell["cell"] for cell in cells}), 8)
        for cell in cells:
            self.assertEqual(cell["status"], "ok", cell)
            verdicts = {gate["name"]: gate["verdict"] for gate in cell["gates"]}
            for name in ("completions_agree", "bytes_agree", "no_connect_errors", "body_right",
                         "every_client_served"):
                self.assertEqual(verdicts[name], "pass", cell["gates"])
            measured = cell["measurements"]
            self.assertGreater(measured["server_cpu_s"], 0)
            self.assertEqual(measured["connections_open"], cell["clients"])
            self.assertEqual(measured["server_processes"], 2 if cell["model"] == "forking" else 1)
        report = self.validate(self.here / "out")
        self.assertEqual(report.returncode, 0, report.stdout)
        self.assertFalse((self.here / "out/raw/counters.live").exists())
        # Packed, as campaigns are that stay; and among others in one folder.
        subprocess.run(["tar", "-cJf", "raw.tar.xz", "raw"], cwd=self.here / "out", check=True)
        shutil.rmtree(self.here / "out/raw")
        self.assertEqual(self.validate(self.here).returncode, 0)
        (self.here / "out/raw.tar.xz").unlink()
        report = self.validate(self.here)
        self.assertEqual(report.returncode, 1)
        self.assertIn(".json is missing", report.stdout)

    def test_every_generator_agrees_with_the_server(self):
        there = [name for name in ("wrk", "stload", "h2load", "ab") if name == "stload" or shutil.which(name)]
        workloads = [{"name": name, "path": "/bytes/100", "generator": name} for name in there]
        mix = [{"path": "/bytes/10", "weight": 1}, {"path": "/bytes/1000", "weight": 2}]
        workloads += [{"name": f"mix-{name}", "mix": mix, "generator": name} for name in ("wrk", "stload")]
        workloads.append({"name": "open", "path": "/bytes/100", "generator": "stload", "rates": [500]})
        _, cells = self.run_plan(plan(servers=[server("plain")], clients=[4], blocks=1, workloads=workloads))
        self.assertEqual(len(cells), len(workloads))
        for cell in cells:
            self.assertEqual(cell["status"], "ok", cell)
            for name in ("completions_agree", "bytes_agree", "no_connect_errors", "body_right"):
                self.assertEqual(self.gate(cell, name)[0], "pass", cell["gates"])
            self.assertGreater(cell["measurements"]["generator_cpu_s"], 0)

    def test_connection_for_each_request(self):
        _, cells = self.run_plan(
            plan(workloads=[{"name": "close", "path": "/bytes/100", "keepalive": False}], clients=[4],
                 servers=[server("plain")], blocks=1))
        verdicts = {gate["name"]: gate["verdict"] for gate in cells[0]["gates"]}
        self.assertEqual(verdicts["bytes_agree"], "pass", cells[0]["gates"])
        self.assertEqual(verdicts["completions_agree"], "pass", cells[0]["gates"])
        self.assertEqual(verdicts["littles_law"], "unknown")
        self.assertGreater(cells[0]["measurements"]["served_connections"], 4)

    def test_known_latency_is_what_wrk_reports_once_its_correction_is_removed(self):
        # 20 ms for each answer; a stall of the machine makes some later, never earlier. wrk's
        # correction would add answers below 20 ms for every late one.
        _, cells = self.run_plan(plan(servers=[server("late")], clients=[8], seconds=1, blocks=1))
        measured = cells[0]["measurements"]
        self.assertGreaterEqual(measured["latency_us_p50"], 20_000)
        raw = json.loads(next(self.here.glob("**/raw/*.wrk.json")).read_text())
        requests, observed = raw["requests"], collections.Counter()
        self.assertGreater(requests, 0)
        expected_us = raw["duration_us"] // (requests // 8)
        data = dict(map(tuple, raw["latency_us"]))
        for value, count in data.items():
            copies = data.get(value + expected_us, 0) if value > expected_us else 0
            observed[value] = count - copies
        self.assertEqual(sum(observed.values()), requests)
        self.assertGreaterEqual(min(v for v, n in observed.items() if n), 20_000)
        mean = sum(v * n for v, n in observed.items()) / requests
        self.assertAlmostEqual(measured["latency_us_mean"], mean, places=3)

    def test_asked_to_stop_it_stops_at_once_and_says_how_to_go_on(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            process = self.start(plan(seconds=60), "--out", f"out-{number}")
            while "cells to measure" not in process.stderr.readline():
                pass
            while not list(self.here.glob(f"out-{number}/raw/*.wrk.txt")):
                time.sleep(0.01)  # until the load has begun
            process.send_signal(number)
            _, said = process.communicate(timeout=PATIENCE_S)
            self.assertEqual(process.returncode, 128 + number)
            self.assertIn("same command goes on", said)
            self.assertEqual(self.cells(), [])

    def test_twins_and_ceilings_are_cells_that_say_so(self):
        _, cells = self.run_plan(
            plan(servers=[server("plain") | {"twin": True}], clients=[2], blocks=2, ceiling=True))
        self.assertEqual([cell["architecture"] for cell in cells], ["null"] + 4 * ["edsm"])
        twins = [cell for cell in cells if "twin_of" in cell]
        self.assertEqual([cell["label"] for cell in twins], 2 * ["edsm-plain-twin"])
        for cell in cells[1:]:
            # The fake's null responder is no faster than any other fake.
            self.assertAlmostEqual(cell["measurements"]["ceiling_rps"],
                                   cells[0]["measurements"]["throughput_rps"])
            self.assertEqual(len(cell["samples"]["time_s"]), len(cell["samples"]["requests"]))
        stop = json.loads(next(self.here.glob("results/*/stop.json")).read_text())
        self.assertEqual((stop["stopped"], stop["blocks_complete"]), ("complete", 2))

    def test_server_that_is_not_ours_is_measured_by_the_generators_count(self):
        custom = {"architecture": "custom", "label": "python",
                  "command": ["/usr/bin/python3", "-u", "-m", "http.server", "{port}", "--bind",
                              "127.0.0.1", "--directory", "{files}"],
                  "ready": "Serving HTTP on .* port ([0-9]+)", "url": "http://127.0.0.1:{1}"}
        _, cells = self.run_plan(
            plan(servers=[custom], clients=[2], blocks=1, seconds=0.3,
                 files=[{"path": "small", "bytes": 100}],
                 workloads=[{"name": "file", "path": "/small", "keepalive": False}]))
        self.assertEqual(cells[0]["status"], "ok", cells[0])
        self.assertGreater(cells[0]["measurements"]["requests_per_cpu_s"], 0)
        self.assertIn("no counters", cells[0]["absent"]["requests"])

    def test_budget_ends_a_campaign_and_a_larger_one_goes_on(self):
        content = plan(servers=[server("plain")], clients=[2], blocks=6)
        _, cells = self.run_plan(content, "--out", "out", "--budget", "1.5s")
        self.assertLess(len(cells), 6)
        self.assertEqual(json.loads((self.here / "out/stop.json").read_text())["stopped"], "budget")
        self.assertIn("not complete", self.validate(self.here / "out").stdout)
        _, cells = self.run_plan(content, "--out", "out", "--budget", "10m")
        self.assertEqual(len(cells), 6)

    def test_precision_is_looked_at_after_six_blocks_and_ends_a_campaign(self):
        # Both labels are the same server and 90 % is not much to ask.
        content = plan(servers=[server("plain") | {"twin": True}], clients=[2], blocks=1)
        _, cells = self.run_plan(content, "--out", "out", "--precision", "90%")
        stop = json.loads((self.here / "out/stop.json").read_text())
        self.assertEqual(stop["stopped"], "precision", stop)
        self.assertIn(stop["looks"][0]["blocks"], (6,))
        self.assertEqual(len(cells), 2 * stop["looks"][-1]["blocks"])
        report = self.validate(self.here / "out")
        self.assertEqual(report.returncode, 0, report.stdout)

    def test_folder_of_another_campaign_is_refused(self):
        self.run_plan(plan(clients=[2], blocks=1), "--out", "out")
        said, cells = self.run_plan(plan(clients=[3], blocks=1), "--out", "out", status=1)
        self.assertIn("holds another campaign: the plan has changed", said)
        self.assertEqual(len(cells), 2)

    def test_complete_campaign_is_not_measured_again(self):
        self.run_plan(plan(clients=[2], blocks=1), "--out", "out")
        said, cells = self.run_plan(plan(clients=[2], blocks=1), "--out", "out")
        self.assertIn("0 of 2 cells to measure", said)
        self.assertEqual(len(cells), 2)

    def test_missing_programs_are_named_before_anything_runs(self):
        said, _ = self.run_plan(plan(), env={"PATH": "/nonexistent"}, status=1)
        self.assertIn("apt-get install wrk", said)
        (self.servers / "httpd_mp").unlink()
        said, _ = self.run_plan(plan(), status=1)
        self.assertIn("missing:", said)
        self.assertIn("httpd_mp", said)
        self.assertFalse((self.here / "results").exists())

    def test_bad_plan_is_one_sentence(self):
        said, _ = self.run_plan(plan(clients=[1, "many"]), status=1)
        self.assertEqual(said, f"archbench: {self.here}/plan.json: clients[1]: expected a positive "
                               'integer, got "many"\n')
        said, _ = self.run_plan('{"schema": }', status=1)
        self.assertIn("line 1, column 12", said)


if __name__ == "__main__":
    campaign_case.main()
