#!/usr/bin/python3
"""Campaigns on hosts that are network namespaces, each with an sshd of its own.

    hosts_test.py ARCHBENCH [unittest options]

Three namespaces on one bridge, as three machines on one switch: a server's and two generators'. Keys,
configuration and sockets are below a temporary directory, nothing outside of it is changed, and what runs
in a namespace ends with it. Needs root and openssh-server; says so and is skipped without.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
ARCHBENCH = ""
PATIENCE_S = 60  # only a hung test waits that long
SSHD = "/usr/sbin/sshd"


def why_not():
    """Why this machine cannot be three machines; empty when it can."""
    if os.geteuid() != 0:
        return "needs root, to make network namespaces"
    for program in ("ip", "ssh", "ssh-keygen", SSHD):
        if not shutil.which(program):
            return f"needs {program} (scripts/setup develop)"
    name = f"archbench-{os.getpid()}"
    if subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False).returncode:
        return "network namespaces are refused here"
    subprocess.run(["ip", "netns", "del", name], check=True)
    return ""


class Machines:
    """The namespaces, their sshds and an ssh configuration that knows them as a, b and c."""

    NAMES = ("a", "b", "c")

    def __init__(self, folder):
        self.folder = folder
        self.tag = f"ab{os.getpid() % 100000}"
        self.net = f"10.213.{os.getpid() % 250}"  # two such tests at a time do not meet
        self.daemons = {}
        self.config = folder / "config"
        try:
            self.make()
        except BaseException:
            self.remove()
            raise

    def address(self, name):
        return f"{self.net}.{1 + self.NAMES.index(name)}"

    def ip(self, *words):
        subprocess.run(["ip", *words], check=True, capture_output=True)

    def make(self):
        for key in ("client", "host"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.folder / key], check=True)
        shutil.copy(self.folder / "client.pub", self.folder / "authorized")
        os.makedirs("/run/sshd", exist_ok=True)  # sshd insists on it
        self.ip("link", "add", self.tag, "type", "bridge")
        self.ip("addr", "add", f"{self.net}.254/24", "dev", self.tag)
        self.ip("link", "set", self.tag, "up")
        lines = []
        for name in self.NAMES:
            space, address = f"{self.tag}{name}", self.address(name)
            self.ip("netns", "add", space)
            self.ip("link", "add", space, "type", "veth", "peer", "name", "eth0", "netns", space)
            self.ip("link", "set", space, "master", self.tag, "up")
            self.ip("-n", space, "link", "set", "lo", "up")
            self.ip("-n", space, "addr", "add", f"{address}/24", "dev", "eth0")
            self.ip("-n", space, "link", "set", "eth0", "up")
            self.serve(name)
            lines.append(f"Host {name}\n  HostName {address}\n  User root\n")
        lines.append(f"Host *\n  IdentityFile {self.folder}/client\n  IdentitiesOnly yes\n"
                     "  StrictHostKeyChecking no\n  UserKnownHostsFile /dev/null\n  LogLevel ERROR\n")
        self.config.write_text("".join(lines))

    def serve(self, name):
        """Starts the host's sshd and waits until it answers."""
        with (self.folder / f"sshd-{name}.log").open("w") as log:
            # -D: not a daemon, so it is ours to end.
            self.daemons[name] = subprocess.Popen(
                ["ip", "netns", "exec", f"{self.tag}{name}", SSHD, "-D", "-e", "-f", "/dev/null",
                 "-h", self.folder / "host", "-o", "PidFile=none", "-o", "StrictModes=no", "-o", "UsePAM=no",
                 "-o", f"AuthorizedKeysFile={self.folder}/authorized"],
                stderr=log, start_new_session=True)
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                socket.create_connection((self.address(name), 22), 1).close()
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def lose(self, name):
        """All that runs in that namespace is killed at once."""
        pids = subprocess.run(["ip", "netns", "pids", f"{self.tag}{name}"], capture_output=True, text=True,
                              check=True).stdout.split()
        for pid in pids:
            try:
                os.kill(int(pid), signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.daemons.pop(name).wait()

    def remove(self):
        for name in list(self.daemons):
            self.lose(name)
        for name in self.NAMES:
            if Path(f"/run/netns/{self.tag}{name}").exists():
                # The kernel takes a namespace down when it finds the time; the link is there until then.
                subprocess.run(["ip", "link", "del", f"{self.tag}{name}"], capture_output=True, check=False)
                subprocess.run(["ip", "netns", "del", f"{self.tag}{name}"], check=False)
        subprocess.run(["ip", "link", "del", self.tag], capture_output=True, check=False)


class Hosts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if reason := why_not():
            raise unittest.SkipTest(reason)
        cls.scratch = tempfile.TemporaryDirectory(prefix="archbench-hosts-")
        cls.addClassCleanup(cls.scratch.cleanup)
        cls.here = Path(cls.scratch.name)
        cls.machines = Machines(cls.here)
        cls.addClassCleanup(cls.machines.remove)
        cls.sockets = cls.here / "tmp"  # archbench's $TMPDIR
        cls.sockets.mkdir()
        cls.servers = cls.here / "servers"
        cls.servers.mkdir()
        for name in ("edsm", "null"):
            (cls.servers / f"httpd_{name}").symlink_to(HERE / "fake_server.py")

    def hosts(self, *generators):
        return {"server": "a", "generators": generators, "server_address": self.machines.address("a")}

    def plan(self, hosts, **changes):
        content = json.loads((HERE / "tiny_plan.json").read_text())
        content |= {"servers": [{"architecture": "edsm", "model": "plain"}], "clients": [6], "blocks": 1,
                    "warmup_seconds": 0.5, "seconds": 0.5}
        content["hosts"] = {"ssh_options": ["-F", str(self.machines.config)],
                            "directory": str(self.here / "cache")} | hosts
        return content | changes

    def start(self, content, fresh=True, **environment):
        (self.here / "plan.json").write_text(json.dumps(content))
        if fresh:
            shutil.rmtree(self.here / "out", ignore_errors=True)
        return subprocess.Popen(
            [ARCHBENCH, "run", self.here / "plan.json", "--servers", self.servers, "--out", self.here / "out"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=self.here,
            env=os.environ | {"TMPDIR": str(self.sockets)} | environment)

    def run_plan(self, content, **options):
        process = self.start(content, **options)
        _, self.said = process.communicate(timeout=2 * PATIENCE_S)
        self.assertEqual(process.returncode, 0, self.said)
        return self.cells()

    def cells(self):
        file = self.here / "out/cells.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def expect_nothing_left(self):
        """On every host the agent and what it started have ended, and its folder has gone."""
        deadline = time.monotonic() + PATIENCE_S
        for name in Machines.NAMES:
            while True:
                pids = subprocess.run(["ip", "netns", "pids", f"{self.machines.tag}{name}"],
                                      capture_output=True, text=True, check=True).stdout.split()
                others = []
                for pid in pids:
                    try:
                        others.append(Path(f"/proc/{pid}/comm").read_text().strip())
                    except OSError:
                        pass
                if not [comm for comm in others if comm != "sshd"]:
                    break
                self.assertLess(time.monotonic(), deadline, f"left on {name}: {others}")
                time.sleep(0.02)
        self.assertEqual(list((self.here / "cache").glob("run-*")), [])

    def forget_runs(self):
        """What an agent leaves when it is killed, which no agent can help."""
        for run in (self.here / "cache").glob("run-*"):
            shutil.rmtree(run, ignore_errors=True)

    def verdicts(self, cell):
        return {gate["name"]: gate["verdict"] for gate in cell["gates"]}

    def test_one_load_from_two_hosts_agrees_with_the_server_on_a_third(self):
        cells = self.run_plan(self.plan(self.hosts("b", "c"), ceiling=True))
        self.assertEqual([cell["architecture"] for cell in cells], ["null", "edsm"])
        for cell in cells:
            self.assertEqual(cell["status"], "ok", cell)
            verdicts = self.verdicts(cell)
            for name in ("completions_agree", "bytes_agree", "no_connect_errors", "every_client_served",
                         "body_right", "right_binary"):
                self.assertEqual(verdicts[name], "pass", cell["gates"])
            self.assertIn("generators_keep_up", verdicts)
            self.assertEqual(cell["measurements"]["connections_open"], 6)
            self.assertGreater(cell["measurements"]["latency_us_p50"], 0)
            parts = sorted(name for name in cell["provenance"]["raw"] if name.endswith(".wrk.json"))
            self.assertEqual([part.split(".")[-3] for part in parts], ["g0", "g1"])
            # The raw reports are here, and they add up to the record.
            counts = [json.loads((self.here / "out" / part).read_text())["requests"] for part in parts]
            self.assertEqual(sum(counts), cell["measurements"]["generator_requests"])
            self.assertTrue(all(counts))
        campaign = json.loads((self.here / "out/campaign.json").read_text())
        self.assertEqual([host["host"] for host in campaign["hosts"]["generators"]], ["b", "c"])
        check = subprocess.run([ARCHBENCH, "validate", self.here / "out"], capture_output=True, text=True,
                               check=False)
        self.assertEqual(check.returncode, 0, check.stdout)
        self.run_plan(self.plan(self.hosts("b", "c"), ceiling=True), fresh=False)
        self.assertIn("0 of 2 cells to measure", self.said)
        self.expect_nothing_left()

    def test_hosts_of_a_slurm_job_and_of_an_inventory(self):
        for cell in self.run_plan(self.plan({"list": "slurm", "server_address": self.machines.address("a")}),
                                  SLURM_JOB_NODELIST="a,b"):
            self.assertEqual(cell["status"], "ok", cell)
        inventory = self.here / "hosts.ini"
        inventory.write_text("[server]\nbig ansible_host=a\n[generators]\nsmall ansible_host=c\n")
        for cell in self.run_plan(self.plan({"list": str(inventory), "server_address": self.machines.address("a")})):
            self.assertEqual(cell["status"], "ok", cell)
        self.expect_nothing_left()

    def test_programs_are_copied_once(self):
        self.run_plan(self.plan(self.hosts("b")))
        before = {path: path.stat().st_mtime_ns for path in (self.here / "cache").glob("[0-9a-f]*/*")}
        self.assertLessEqual({"archbench", "httpd_edsm", "report.lua", "wrk"}, {path.name for path in before})
        self.run_plan(self.plan(self.hosts("b")))
        self.assertEqual({path: path.stat().st_mtime_ns for path in (self.here / "cache").glob("[0-9a-f]*/*")}, before)

    def test_generator_host_that_is_lost_fails_its_cell(self):
        process = self.start(self.plan(self.hosts("b", "c"), seconds=30))
        deadline = time.monotonic() + PATIENCE_S
        while not list((self.here / "cache").glob("run-*/raw/*.wrk.txt")):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)
        self.machines.lose("c")
        self.addCleanup(self.machines.serve, "c")
        self.addCleanup(self.forget_runs)
        _, said = process.communicate(timeout=PATIENCE_S)
        self.assertEqual(process.returncode, 0, said)
        cell = self.cells()[0]
        self.assertEqual(cell["status"], "failed")
        self.assertIn("host c is lost", cell["reason"])

    def test_host_that_cannot_be_reached_is_one_sentence(self):
        process = self.start(self.plan({"server": "a", "generators": ["nowhere.invalid"]}))
        _, said = process.communicate(timeout=PATIENCE_S)
        self.assertEqual(process.returncode, 1)
        self.assertRegex(said, r"archbench: host nowhere\.invalid: connecting failed with .*ssh said")

    def test_archbench_that_is_killed_leaves_nothing_on_any_host(self):
        process = self.start(self.plan(self.hosts("b"), seconds=30))
        deadline = time.monotonic() + PATIENCE_S
        while not list((self.here / "cache").glob("run-*/raw/*.wrk.txt")):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)
        process.kill()
        process.communicate()
        self.expect_nothing_left()
        # Of what it left here itself the next one takes care.
        self.assertEqual(len(list(self.sockets.glob("archbench-ssh-*"))), 2)
        self.run_plan(self.plan(self.hosts("b")))
        self.assertEqual(list(self.sockets.iterdir()), [])


if __name__ == "__main__":
    ARCHBENCH = sys.argv.pop(1)
    unittest.main()
