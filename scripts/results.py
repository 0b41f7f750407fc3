#!/usr/bin/python3
"""Load and check a campaign; what the other scripts share.

Run on its own it checks a campaign folder and says what is in it:

    scripts/results.py results/quick-20260101T120000Z

A campaign is a folder that `archbench run` wrote; results/README.md says what is in it. A cell
counts ("usable") when it was measured and no gate that doubts its numbers failed. Two gates do not
doubt the numbers but say what they are numbers of: `server_was_the_limit` (with few clients a server
never is) and `every_client_served` (starvation is a finding). Such a cell counts and is labelled.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import lzma
import re
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import jsonschema

SCHEMAS = Path(__file__).resolve().parent.parent / "results" / "schema"

CELLS, PACKED_CELLS = "cells.jsonl", "cells.jsonl.xz"

# The order in which a reader of the founding paper expects the architectures.
ARCHITECTURES = ("mp", "mt", "edsm", "st", "peer", "custom")
# What a ceiling run measures instead of a server: how much the generator could do.
NULL_RESPONDER = "null"

# Gates that say what a number means rather than whether it is right; for cells whose gates do not
# state their effect.
LABELLING_GATES = frozenset(
    {"server_was_the_limit", "every_client_served", "below_ceiling", "steady_state"}
)
# Of these each says that something other than the server may have been the limit.
LIMIT_GATES = frozenset({"server_was_the_limit", "below_ceiling"})


class BadData(Exception):
    """What was read cannot be used; the text says which file, where and why."""


@dataclass(frozen=True)
class Gate:
    """One check of a cell: `verdict` is pass, fail or unknown; `text` explains it to a reader."""

    name: str
    verdict: str
    effect: str  # of a failure: invalidates the numbers, or labels what they are numbers of
    text: str


@dataclass(frozen=True)
class Warn:
    """A doubt that does not invalidate the cell."""

    code: str
    text: str


@dataclass(frozen=True)
class Cell:
    """One line of cells.jsonl; results/README.md says what each field means.

    Under an open load `workload` ends in the offered rate, as in `open-r20000`: each rate is a load of
    its own and nothing may be averaged over two of them.
    """

    identity: str
    architecture: str
    model: str
    label: str
    twin_of: str | None  # the label of the same server, in an A/A test
    workload: str
    offered_rps: float | None  # open load only
    clients: int
    cpus: int
    block: int
    order: int
    status: str
    reason: str
    started_utc: str
    measurements: dict[str, float]
    gates: tuple[Gate, ...]
    warnings: tuple[Warn, ...]
    provenance: dict[str, Any]
    samples: dict[str, list[float]]  # the server's counters over the run; empty when not recorded

    @property
    def failed_gates(self) -> tuple[Gate, ...]:
        """Gates that failed and therefore take the cell out of every average."""
        return tuple(g for g in self.gates if g.verdict == "fail" and g.effect == "invalidates")

    @property
    def usable(self) -> bool:
        """Measured, and no gate that doubts the numbers failed."""
        return self.status == "ok" and not self.failed_gates

    @property
    def limited(self) -> bool:
        """Something other than the server was the limit, or may have been."""
        return any(g.name in LIMIT_GATES and g.verdict != "pass" for g in self.gates)

    @property
    def starved(self) -> bool:
        """Some clients were never answered."""
        return any(g.name == "every_client_served" and g.verdict == "fail" for g in self.gates)


@dataclass(frozen=True)
class Campaign:
    """A folder written by `archbench run`. `cells` are in the order in which they were run, without
    those of the null responder, which are `ceilings`; `lines` says where each stands in the file."""

    directory: Path
    about: dict[str, Any]  # campaign.json as it was written
    cells: tuple[Cell, ...]
    ceilings: tuple[Cell, ...]
    lines: dict[str, int]  # identity -> line of cells.jsonl, from 1
    cells_sha256: str

    @property
    def plan(self) -> dict[str, Any]:
        """The plan as it was given."""
        plan: dict[str, Any] = self.about["plan"]
        return plan

    @property
    def name(self) -> str:
        """The plan's name."""
        return str(self.about["name"])

    @property
    def missing(self) -> int:
        """Cells that the plan asks for and that have not run."""
        return max(0, int(self.about["cells_total"]) - len(self.lines))

    @property
    def stopped(self) -> str | None:
        """Why a campaign ended before all its cells: precision or budget; None when it did not."""
        path = self.directory / "stop.json"
        if not path.is_file():
            return None
        why = str(_parse(_read_bytes(path), str(path)).get("stopped", ""))
        return why if why in ("precision", "budget") else None

    @property
    def labels(self) -> tuple[str, ...]:
        """Every label once: by architecture, then as the plan lists them, then as they ran."""
        listed = [label_of(server) for server in self.plan["servers"]]
        ran = {c.label: c for c in self.cells}

        def rank(label: str) -> tuple[int, int, bool]:
            name = ran[label].twin_of or label
            place = listed.index(name) if name in listed else len(listed)
            return ARCHITECTURES.index(ran[label].architecture), place, name != label

        return tuple(sorted(ran, key=rank))

    @property
    def workloads(self) -> tuple[str, ...]:
        """Every workload once, in the plan's order."""
        names = [w["name"] for w in self.plan["workloads"]]
        present = {c.workload: c for c in self.cells}

        def rank(workload: str) -> tuple[int, float]:
            name = plan_name(workload, names)
            place = names.index(name) if name in names else len(names)
            return place, present[workload].offered_rps or 0.0

        return tuple(sorted(present, key=rank))


def label_of(server: dict[str, Any]) -> str:
    """The label of a server in a plan, which archbench makes up where the plan gives none."""
    usual = "-".join(str(server[k]) for k in ("architecture", "model") if k in server)
    return str(server.get("label", usual))


def plan_name(workload: str, names: Collection[str]) -> str:
    """The one of the plan's `names` that `workload` is, which may end in its offered rate."""
    return workload if workload in names else re.sub(r"-r\d+$", "", workload)


def load(directory: Path) -> Campaign:
    """Reads and checks a campaign folder. Raises BadData with a sentence for the user."""
    if not directory.is_dir():
        raise BadData(f"{directory} is not a folder; give the folder that `archbench run` wrote")
    about = _read_about(directory / "campaign.json")
    raw = cells_bytes(directory)
    lines = _read_cells(directory / CELLS, raw)
    cells = tuple(c for c in lines if c.architecture != NULL_RESPONDER)
    if not cells:
        raise BadData(f"{directory / CELLS} holds no finished cell yet")
    return Campaign(
        directory=directory, about=about, cells=cells,
        ceilings=tuple(c for c in lines if c.architecture == NULL_RESPONDER),
        lines={c.identity: number for number, c in enumerate(lines, 1)},
        cells_sha256=hashlib.sha256(raw).hexdigest(),
    )


def cells_sha256(directory: Path) -> str:
    """What names the cells of a campaign, in analysis.json too."""
    return hashlib.sha256(cells_bytes(directory)).hexdigest()


def cells_bytes(directory: Path) -> bytes:
    """The lines of a campaign, which are packed when it is kept for good. Raises BadData."""
    packed = directory / PACKED_CELLS
    if not packed.is_file():
        return _read_bytes(directory / CELLS)
    try:
        return lzma.decompress(_read_bytes(packed))
    except lzma.LZMAError as error:
        raise BadData(f"{packed} cannot be unpacked: {error}") from error


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadData(f"{path} cannot be read ({error.strerror}); is this a campaign?") from error


def _read_about(path: Path) -> dict[str, Any]:
    about = _parse(_read_bytes(path), str(path))
    _check(about, _validator("campaign"), str(path))
    assert isinstance(about, dict)  # the schema says so
    return about


def _read_cells(path: Path, raw: bytes) -> tuple[Cell, ...]:
    validator = _validator("cell")
    cells: list[Cell] = []
    seen: dict[str, int] = {}
    lines = raw.split(b"\n")
    if lines.pop():  # what follows the last newline
        raise BadData(
            f"{path} line {len(lines) + 1} is cut off (no newline at its end): the run was"
            " interrupted while writing it; repeat the same `archbench run` to go on"
        )
    for number, line in enumerate(lines, start=1):
        place = f"{path} line {number}"
        record = _parse(line, place)
        _check(record, validator, place)
        cell = _cell(record)
        expected = (
            f"{cell.architecture}/{cell.model}/{cell.label}/{cell.workload}"
            f"/c{cell.clients}/k{cell.cpus}/b{cell.block}"
        )
        if cell.identity != expected:
            raise BadData(f"{place} calls itself '{cell.identity}' but its fields say '{expected}'")
        if cell.identity in seen:
            raise BadData(f"{place} repeats the cell of line {seen[cell.identity]}, {expected}")
        seen[cell.identity] = number
        cells.append(cell)
    return tuple(cells)


def _parse(text: bytes, place: str) -> Any:
    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is not JSON")

    try:
        return json.loads(text, parse_constant=refuse)
    except ValueError as error:
        raise BadData(f"{place} is not JSON: {error}") from error


def _validator(name: str) -> Any:
    """The validator of results/schema/NAME.schema.json."""
    schemas = [_parse(_read_bytes(path), str(path)) for path in SCHEMAS.glob("*.schema.json")]
    named = {schema["$id"]: schema for schema in schemas}
    wanted = _inlined(_parse(_read_bytes(SCHEMAS / f"{name}.schema.json"), name), named)
    # Without its name the references into its own "$defs" are found in the schema itself.
    wanted["title"] = wanted.pop("$id")
    return jsonschema.Draft202012Validator(wanted)


def _inlined(node: Any, named: dict[str, Any]) -> Any:
    """`node` with every reference replaced by what it names.

    Our schemas call each other by name ("archbench.plan/1"). A resolver would take such a name for
    an address relative to the referring schema, and might go to the network to look for it.
    """
    if isinstance(node, list):
        return [_inlined(each, named) for each in node]
    if not isinstance(node, dict):
        return node
    if node.get("$ref") in named:
        return {k: v for k, v in named[node["$ref"]].items() if k != "$id"}
    return {key: _inlined(value, named) for key, value in node.items()}


def check(record: Any, name: str, place: str) -> None:
    """Raises BadData unless `record` has the form of results/schema/NAME.schema.json."""
    _check(record, _validator(name), place)


def _check(record: Any, validator: Any, place: str) -> None:
    error = jsonschema.exceptions.best_match(validator.iter_errors(record))
    if error is not None:
        where = "/".join(str(part) for part in error.absolute_path) or "the whole record"
        schema = validator.schema["title"]
        raise BadData(f"{place} does not follow {schema} at {where}: {error.message[:300]}")


def _cell(record: dict[str, Any]) -> Cell:
    return Cell(
        identity=record["cell"],
        architecture=record["architecture"],
        model=record["model"],
        label=record["label"],
        twin_of=record.get("twin_of"),
        workload=record["workload"],
        offered_rps=record.get("offered_rps"),
        clients=record["clients"],
        cpus=record["cpus"],
        block=record["block"],
        order=record["order"],
        status=record["status"],
        reason=record.get("reason", ""),
        started_utc=record["started_utc"],
        measurements=record["measurements"],
        gates=tuple(_gate(gate) for gate in record["gates"]),
        warnings=tuple(Warn(w["code"], w["text"]) for w in record["warnings"]),
        provenance=record["provenance"],
        samples=record.get("samples", {}),
    )


def _gate(record: dict[str, Any]) -> Gate:
    usual = "labels" if record["name"] in LABELLING_GATES else "invalidates"
    return Gate(record["name"], record["verdict"], record.get("effect", usual), record["text"])


def fatal(text: object) -> NoReturn:
    """Ends the program because of bad data: one sentence, exit status 1."""
    print(f"fatal: {text}", file=sys.stderr)
    sys.exit(1)


class Parser(argparse.ArgumentParser):
    """argparse with the module's docstring as its help and our way to report misuse (status 2)."""

    def __init__(self, docstring: str | None, several: bool = False, prog: str | None = None) -> None:
        """With one argument, `campaign`; or, with `several`, one or more, `campaigns`. `prog` is what
        users call it by, where that is not the name of its file."""
        super().__init__(
            prog=prog, description=docstring, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        told = "folder written by `archbench run`"
        if several:
            self.add_argument("campaigns", type=Path, nargs="+", metavar="DIR", help=told)
        else:
            self.add_argument("campaign", type=Path, metavar="DIR", help=told)

    def error(self, message: str) -> NoReturn:
        print(f"fatal: {message}; see {self.prog} --help", file=sys.stderr)
        sys.exit(2)


def main(arguments: Sequence[str] | None = None) -> int:
    options = Parser(__doc__).parse_args(arguments)
    try:
        campaign = load(options.campaign)
    except BadData as error:
        fatal(error)
    cells = campaign.cells
    print(f"campaign  {campaign.name}")
    print(f"cells     {len(cells)} ({campaign.missing} still to run) in {len({c.block for c in cells})} blocks")
    print(f"usable    {sum(c.usable for c in cells)}")
    print(f"labels    {', '.join(campaign.labels)}")
    print(f"workloads {', '.join(campaign.workloads)}")
    for cell in cells:
        for text in [cell.reason] * (cell.status == "failed"):
            print(f"failed    {cell.identity}: {text}")
        for gate in cell.failed_gates:
            print(f"gate      {cell.identity}: {gate.name}: {gate.text}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
