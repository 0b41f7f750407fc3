"""stload as a program: how the tests run it, and what must hold for each of its reports."""

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import jsonschema
from servers import BIN, PATIENCE_S, Connection

SCHEMA = json.loads((Path(__file__).resolve().parents[3] / "results/schema/stload.schema.json").read_text())
STLOAD = BIN / "stload"

Json = dict[str, Any]


def command(url: str, report: Path, **options: Any) -> list[str]:
    """stload with short times; rate=5 becomes --rate 5, check=True becomes --check."""
    words = [str(STLOAD), "--json", str(report)]
    for name, value in ({"clients": 4, "warmup": 0, "duration": 0.3} | options).items():
        words.append("--" + name.replace("_", "-"))
        if value is not True:
            words.append(str(value))
    return [*words, url]


def run(url: str, tmp_path: Path, status: int = 0, **options: Any) -> Json:
    """Runs it, and returns a report that is valid and in which every request is accounted for."""
    file = tmp_path / "report.json"
    done = subprocess.run(command(url, file, **options), capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == status, done.stdout + done.stderr
    assert done.stderr == ""
    report: Json = json.loads(file.read_text())
    report["text"] = done.stdout
    expect_sound({key: value for key, value in report.items() if key != "text"})
    return report


def expect_sound(report: Json) -> None:
    jsonschema.validate(report, SCHEMA)
    window = report["window"]
    assert window["requests"] == window["answers"] + sum(window["errors"].values())
    assert report["latency_us"]["count"] == window["answers"]
    for name in ("latency_us", "connect_us"):
        values = [value for value, _ in report[name]["histogram"]]
        assert values == sorted(values)
        assert sum(count for _, count in report[name]["histogram"]) == report[name]["count"]
    clients = report["clients"]
    assert sum(count for _, count in clients["answers"]) == clients["count"]
    assert sum(answers * count for answers, count in clients["answers"]) == window["answers"]
    assert sum(window["statuses"].values()) == window["answers"]


def refused(url: str, **options: Any) -> str:
    """What it says when it does not even begin."""
    words = command(url, Path(os.devnull), **options)
    done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.count("\n") == 1
    return done.stderr


def answer_all(connection: Connection) -> None:
    while connection.request():
        connection.answer()


def wait_for_children(parent: int, count: int) -> list[int]:
    """The processes that `parent` has started, once there are so many."""
    while True:
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        if len(children) == count:
            return [int(pid) for pid in children]
        time.sleep(0.01)
