#!/usr/bin/python3
"""Every command of archbench as a user meets it: its help, its mistakes, what it does.

    commands_test.py ARCHBENCH [unittest options]
"""

import json
import os
import pty
import subprocess
import unittest
from pathlib import Path

import campaign_case
from campaign_case import PATIENCE_S, CampaignCase, plan, private_mounts, server

COMMANDS = ("doctor", "list", "plan", "run", "status", "validate", "show", "compare", "import", "audit")
# What the doctor may change, and values of which it will not approve.
SETTINGS = {
    "/proc/sys/net/core/somaxconn": "16",
    "/proc/sys/net/ipv4/tcp_max_syn_backlog": "1",
    "/proc/sys/kernel/pid_max": "100",
    "/proc/sys/kernel/threads-max": "100",
    "/proc/sys/net/ipv4/ip_local_port_range": "40000\t50000",
    "/proc/sys/net/ipv4/tcp_tw_reuse": "0",
    "/sys/kernel/mm/transparent_hugepage/enabled": "always",
    "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "powersave",
}


class Commands(CampaignCase):
    def archbench(self, *words, status=0):
        """Standard output and standard error of a command that ends with `status`."""
        done = subprocess.run([campaign_case.ARCHBENCH, *map(str, words)], cwd=self.here, capture_output=True,
                              text=True, timeout=PATIENCE_S, check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout, done.stderr

    def one_sentence(self, *words, status=2):
        """The sentence on standard error, which is all that a mistaken command says."""
        out, said = self.archbench(*words, status=status)
        self.assertEqual((out, said.count("\n")), ("", 1), out + said)
        return said

    def write_plan(self, **changes):
        file = self.here / "plan.json"
        file.write_text(json.dumps(plan(servers=[server("plain")], **changes)))
        return file

    def test_help_of_every_command(self):
        out, _ = self.archbench("--help")
        for name in COMMANDS:
            self.assertIn(f"\n  {name} ", out)
            self.assertGreater(len(self.archbench(name, "--help")[0].splitlines()), 3)
        self.assertIn("--no-sampling  ", self.archbench("run", "--help")[0])
        self.assertIn("compare.py", self.archbench("compare", "--help")[0])

    def test_misuse_is_one_sentence_that_names_it(self):
        for words, expected in (
            (("meazure",), "'meazure' is no command"),
            ((), "subcommand is required"),
            (("doctor", "--aply"), "--aply"),
            (("doctor", "--apply", "--restore"), "excludes"),
            (("list", "all"), "all"),
            (("plan",), "PLAN is required"),
            (("run", "quick", "--seed", "x"), "--seed"),
            (("status",), "DIR is required"),
            (("import",), "FILE is required"),
            (("compare", "one"), "DIR"),
            (("show", "one", "--nonsense"), "--nonsense"),
        ):
            self.assertIn(expected, self.one_sentence(*words))

    def test_what_is_not_there_is_one_sentence(self):
        for words, expected in (
            (("plan", "nothing"), 'no plan "nothing"'),
            (("run", "nothing"), 'no plan "nothing"'),
            (("run", "quick", "--budget", "soon"), "90s, 30m or 2h"),
            (("run", "quick", "--precision", "200%"), "2%"),
            (("status", "nothing"), "is this a campaign's folder?"),
            (("validate", "nothing"), "is this a campaign's folder?"),
            (("show", "nothing"), "nothing is not a folder"),
            (("compare", "nothing", "nothing"), "nothing is not a folder"),
            (("import", "nothing"), "nothing: No such file"),
            (("audit", self.write_plan()), "expected TechEmpower's results.json"),
        ):
            self.assertIn(expected, self.one_sentence(*words, status=1))

    def test_list_names_plans_generators_and_servers(self):
        out, _ = self.archbench("list", "--servers", self.servers)
        for expected in ("  quick ", "  wrk ", "  stload ", "  httpd_edsm\n"):
            self.assertIn(expected, out)
        out, _ = self.archbench("list", "--servers", self.here / "nowhere")
        self.assertIn("none; build them", out)

    def test_plan_says_what_would_run_and_whether_it_can(self):
        out, _ = self.archbench("plan", self.write_plan(ceiling=True), "--servers", self.servers)
        self.assertIn("6 cells, 2 blocks, about 3 s", out)
        self.assertIn("2 of them are of the null responder", out)
        self.assertRegex(out, r"edsm-plain +bytes-100 +1 +2 6\n")
        out, _ = self.archbench("plan", self.write_plan(), "--servers", self.here / "nowhere", status=1)
        self.assertIn("edsm-plain cannot be run", out)

    def test_status_and_show_of_a_campaign_with_a_failed_cell(self):
        self.run_plan(plan(servers=[server("plain"), server("mortal")], clients=[2], blocks=1), "--out", "out")
        out, _ = self.archbench("status", "out")
        self.assertIn("2 of 2 cells; 1 failed", out)
        self.assertIn("the server ended", out)
        self.assertIn("warning:     p999_withheld", out)
        out, _ = self.archbench("show", "out")
        self.assertIn("2 cells in 1 block", out)

    def test_validate_names_what_was_done_to_a_campaign(self):
        self.run_plan(plan(servers=[server("plain")], blocks=1), "--out", "out")
        file = self.here / "out/cells.jsonl"
        whole = file.read_text()
        self.assertIn("complete and as it should be", self.archbench("validate", "out")[0])
        for change, expected in (
            ({"took_s": 1}, ""),
            ({"gates": None}, '"gates" has the wrong type: null'),
            ({"status": "fine"}, 'unknown status "fine"'),
            ({"status": "failed"}, "it failed without a reason"),
            ({"measurements": {"duration_s": 1, "requests": -1}}, 'the measurement "requests" is -1'),
            ({"measurements": {}}, 'the measurement "duration_s" is missing'),
            ({"order": 1}, "was not run in a place of its own"),
            ({"order": 2}, "was not run in a place of its own"),
            ({"cell": "edsm/plain/other/bytes-100/c2/k1/b0"}, "is not in the plan"),
        ):
            first, second = map(json.loads, whole.splitlines())
            file.write_text(json.dumps(first | change) + "\n" + json.dumps(second) + "\n")
            self.assertIn(expected, self.archbench("validate", "out", status=1 if expected else 0)[0])
        del first["order"]
        file.write_text(json.dumps(first) + "\n" + 2 * (json.dumps(second) + "\n"))
        out, _ = self.archbench("validate", "out", status=1)
        self.assertIn('the field "order" is missing', out)
        self.assertIn("is there twice", out)

    def test_on_a_terminal_there_is_one_line_and_what_failed_stays(self):
        self.write_plan(clients=[2], blocks=2)
        content = json.loads((self.here / "plan.json").read_text())
        content["servers"].append(server("mortal"))
        (self.here / "plan.json").write_text(json.dumps(content))
        terminal, its_end = pty.openpty()
        process = subprocess.Popen([campaign_case.ARCHBENCH, "run", "plan.json", "--servers", "servers"],
                                   cwd=self.here, stdout=subprocess.DEVNULL, stderr=its_end)
        os.close(its_end)
        said = b""
        try:
            while chunk := os.read(terminal, 4096):
                said += chunk
        except OSError:  # how a terminal says that nobody has its other end any more
            pass
        os.close(terminal)
        self.assertEqual(process.wait(PATIENCE_S), 0, said)
        self.assertIn(b"\r[....................] 0/4, block 1 of 2, ", said)
        self.assertIn(b"\r[###############.....] 3/4, block 2 of 2, ", said)
        self.assertEqual(said.count(b"FAILED"), 2)
        self.assertNotIn(b"edsm-plain bytes-100, 2 clients, 1 CPU: ", said)

    def test_doctor_blocks_a_plan_that_would_give_no_numbers(self):
        out, _ = self.archbench("doctor", self.write_plan(), "--servers", self.here / "nowhere", status=1)
        self.assertRegex(out, r"block +servers +missing: .*httpd_edsm")
        self.assertIn("there would be no numbers", out)
        self.archbench("doctor", "--restore")

    @unittest.skipUnless(private_mounts(), "needs mounts of its own (root)")
    def test_settings_are_put_back_by_the_next_campaign_and_when_it_is_killed(self):
        # Files of ours in the places of the kernel's, so that nothing of this machine is changed.
        mounts = ["mount -t tmpfs none /run"]
        names = []
        for number, (path, value) in enumerate(SETTINGS.items()):
            if Path(path).exists():
                (self.here / f"setting-{number}").write_text(value)
                mounts.append(f"mount --bind {self.here}/setting-{number} {path}")
                names.append(self.here / f"setting-{number}")
        before = [name.read_text() for name in names]
        self.write_plan(clients=[2], blocks=3)
        subprocess.run(
            ["unshare", "--mount", "sh", "-e", "-c", "; ".join(mounts) + """
                "$0" doctor plan.json --servers servers --apply > doctor.out
                cat setting-* > applied
                "$0" run plan.json --servers servers --out out
                cat setting-* > after
                "$0" run plan.json --servers servers --out out2 --apply 2> said &
                until grep -q requests/s said; do sleep 0.02; done
                cat setting-* > applied-again
                kill -KILL $!
                while [ -e /run/archbench-settings.json ]; do sleep 0.02; done
             """, campaign_case.ARCHBENCH],
            cwd=self.here, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True, timeout=PATIENCE_S)
        self.assertIn("Settings are changed until the next campaign ends", (self.here / "doctor.out").read_text())
        applied, after, again = ((self.here / name).read_text() for name in ("applied", "after", "applied-again"))
        self.assertNotIn("".join(before), applied)
        self.assertIn("10240", applied)
        self.assertEqual(after, "".join(before))
        self.assertEqual(again, applied)
        self.assertEqual([name.read_text() for name in names], before)


if __name__ == "__main__":
    campaign_case.main()
