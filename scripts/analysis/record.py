"""analysis.json: everything that may be said of a campaign, written and read.

What every figure, table and sentence is made from. Its form is results/schema/analysis.schema.json;
what is unknown is absent. The same cells give the same bytes.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
import types
import typing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from analysis import bootstrap, comparisons as pairs, noise as twins
from analysis import points as point_module
from analysis.capacity import Capacity, Objective, capacities
from analysis.comparisons import Comparison
from analysis.fairness import Fairness, fairness
from analysis.histogram import GRID, Latency, Observed, merged, of_cell, quantiles, supported, withheld
from analysis.intervals import LEVEL
from analysis.load_curve import LoadCurve, load_curves
from analysis.noise import Detectable, Noise
from analysis.points import Label, Point
from analysis.system_curve import SystemStep, system_steps
from analysis.usl import Usl, laws
from analysis.workloads import Workload, workloads_of
from results import BadData, Campaign, cells_sha256, load

SCHEMA = "archbench.analysis/2"


@dataclass(frozen=True)
class Analysis:
    """All of analysis.json."""

    schema: str
    campaign: str  # the plan's name
    question: str
    started_utc: str
    cells: int
    cells_missing: int  # that the plan asks for and that have not run
    stopped: str | None  # precision or budget, when that is why
    blocks: int
    cells_sha256: str
    commit: str | None  # of the source tree that was measured
    dirty: bool  # that tree held changes which are in no commit
    cpus: int  # of the machine
    bootstrap_seed: int
    bootstrap_resamples: int
    level: float
    reference: str
    objective: Objective
    system_clients: tuple[int, ...]  # loads that the plan wants to see over CPUs
    labels: tuple[Label, ...]
    workloads: tuple[Workload, ...]
    points: tuple[Point, ...]
    load_curves: tuple[LoadCurve, ...]
    system_steps: tuple[SystemStep, ...]
    laws: tuple[Usl, ...]
    capacities: tuple[Capacity, ...]
    fairness: tuple[Fairness, ...]
    latencies: tuple[Latency, ...]
    comparisons: tuple[Comparison, ...]
    noise: tuple[Noise, ...]
    detectable: tuple[Detectable, ...]

    def point(self, label: str, workload: str, clients: int, cpus: int) -> Point | None:
        """The point with this identity, if any cell of it ran."""
        return point_module.find(self.points, label, workload, clients, cpus)

    def label(self, name: str) -> Label:
        """The label called `name`, which must exist."""
        return next(label for label in self.labels if label.name == name)


def analyse(
    campaign: Campaign, reference: str | None = None, objective: Objective = Objective()
) -> Analysis:
    """Everything that may be said of `campaign`."""
    labels = point_module.labels_of(campaign)
    points = point_module.points_of(campaign)
    reference = reference or pairs.default_reference(labels)
    compared = pairs.comparisons(points, reference)
    return Analysis(
        schema=SCHEMA,
        campaign=campaign.name,
        question=str(campaign.plan["question"]),
        started_utc=str(campaign.about["started_utc"]),
        cells=len(campaign.cells),
        cells_missing=campaign.missing,
        stopped=campaign.stopped,
        blocks=len({c.block for c in campaign.cells}),
        cells_sha256=campaign.cells_sha256,
        commit=campaign.about["provenance"].get("commit"),
        dirty=bool(campaign.about["provenance"].get("dirty", False)),
        cpus=int(campaign.about["environment"]["cpus"]),
        bootstrap_seed=bootstrap.SEED,
        bootstrap_resamples=bootstrap.RESAMPLES,
        level=LEVEL,
        reference=reference,
        objective=objective,
        system_clients=tuple(campaign.plan.get("system_clients", ())),
        labels=labels,
        workloads=workloads_of(campaign),
        points=points,
        load_curves=load_curves(points),
        system_steps=system_steps(points),
        laws=laws(points),
        capacities=capacities(points, objective),
        fairness=fairness(points),
        latencies=latencies(campaign, points),
        comparisons=compared,
        noise=twins.noise(labels, points),
        detectable=twins.detectable(compared),
    )


def latencies(campaign: Campaign, points: tuple[Point, ...]) -> tuple[Latency, ...]:
    """The merged distribution of every point whose cells still have their histograms."""
    by_point: dict[str, list[Observed]] = {}
    for cell in campaign.cells:
        observed = of_cell(campaign.directory, cell) if cell.usable else None
        if observed is not None:
            by_point.setdefault(cell.identity.rpartition("/b")[0], []).append(observed)
    found = []
    for p in points:
        observed_here = by_point.get(p.identity, [])
        total = merged(o.latencies for o in observed_here)
        requests = sum(total.values())
        shares = [share for share in GRID if supported(share, requests)]
        if requests and shares:
            found.append(
                Latency(
                    p.label, p.workload, p.clients, p.cpus, requests,
                    any(o.from_intended for o in observed_here),
                    tuple(quantiles(total, shares)), withheld(requests),
                )
            )
    return tuple(found)


def as_json(record: Any) -> str:
    """A dataclass as JSON text. What is unknown is absent, as in every file of a campaign."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {str(k): plain(v) for k, v in value.items() if v is not None}
        if isinstance(value, (list, tuple)):
            return [plain(v) for v in value]
        return value

    text = json.dumps(plain(dataclasses.asdict(record)), indent=1, allow_nan=False, ensure_ascii=False)
    # What holds no further list or object stands in one line: shorter by a third, and easier to read.
    return re.sub(r"[\[{]\n[^\[\]{}]*[\]}]", lambda found: re.sub(r"\n *", " ", found[0]), text) + "\n"


T = TypeVar("T")


def from_json(kind: type[T], text: str) -> T:
    """The dataclass that `as_json` wrote. Raises BadData when a field is missing or of another form."""
    try:
        made: T = _build(kind, json.loads(text))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadData(f"this is no {kind.__name__}: {error!r}") from error
    return made


def _build(kind: Any, value: Any) -> Any:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):  # only "X or None" occurs
        if value is None:
            return None
        return _build(next(a for a in arguments if a is not type(None)), value)
    if origin is tuple:
        if arguments[-1] is Ellipsis:
            return tuple(_build(arguments[0], v) for v in value)
        return tuple(_build(a, v) for a, v in zip(arguments, value, strict=True))
    if origin is dict:
        return {arguments[0](k): _build(arguments[1], v) for k, v in value.items()}
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return kind(**{f.name: _build(hints[f.name], _field(value, f.name, hints)) for f in
                       dataclasses.fields(kind)})
    if kind is float and isinstance(value, int):
        return float(value)
    if not isinstance(value, kind):
        raise TypeError(f"{value!r} is not of type {kind.__name__}")
    return value


def _field(record: dict[str, Any], name: str, hints: dict[str, Any]) -> Any:
    if type(None) in typing.get_args(hints[name]):
        return record.get(name)
    return record[name]


def load_analysis(directory: Path) -> Analysis:
    """The analysis of a campaign folder, for the scripts that draw and tell.

    Reads DIR/analysis.json when it was made from the cells that are there now, by this version of
    the form; otherwise analyses again, without writing.
    """
    path = directory / "analysis.json"
    if path.is_file():
        text = path.read_text(encoding="utf-8")
        head = json.loads(text)
        # Of cells that were analysed every line has been checked; reading them again would take a
        # minute for some thousands.
        if (head.get("schema"), head.get("cells_sha256")) == (SCHEMA, cells_sha256(directory)):
            with contextlib.suppress(BadData):  # written by another version of these scripts
                return from_json(Analysis, text)
    return analyse(load(directory))
