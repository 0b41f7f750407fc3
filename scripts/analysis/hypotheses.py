"""Claims registered before the data (paper/hypotheses.json), and how they are judged.

A statistic looks into campaigns, into the source tree or into counted system calls (`evidence`) and
gives intervals; this file compares them with the registered threshold and knows nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

SUPPORTED, REFUTED, UNDECIDED = "supported", "refuted", "undecided here"


@dataclass(frozen=True)
class Evidence:
    """One interval that a part of a claim may be judged by."""

    subject: str  # what it is of, for a reader
    campaign: str | None  # None for what is counted rather than measured
    value: float
    low: float
    high: float
    blocks: int | None  # None for what is counted
    cells: tuple[str, ...]
    flaw: str  # why it must not decide; empty when it may


@dataclass(frozen=True)
class PartVerdict:
    """One part of a claim. `wanted` is the threshold in words."""

    wanted: str
    why: str
    verdict: str
    because: str
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True)
class Verdict:
    """One claim. `decider` is the machine that could decide what this one cannot."""

    id: str
    claim: str
    verdict: str
    because: str
    decider: str
    parts: tuple[PartVerdict, ...]


@dataclass(frozen=True)
class Verdicts:
    """All of verdicts.json."""

    schema: str
    registered: str
    level: float
    campaigns: tuple[str, ...]
    verdicts: tuple[Verdict, ...]


def wanted(part: dict[str, Any]) -> str:
    """The registered threshold in words."""
    if "within" in part:
        low, high = part["within"]
        return f"exactly {low:g}" if low == high else f"within {low:g} to {high:g}"
    return f"below {part['below']:g}" if "below" in part else f"above {part['above']:g}"


def outcome(part: dict[str, Any], e: Evidence) -> str:
    """On which side of the threshold the whole interval lies, if it lies on one."""
    if e.flaw:
        return UNDECIDED
    if "within" in part:
        low, high = part["within"]
        if low <= e.low and e.high <= high:
            return SUPPORTED
        return REFUTED if e.high < low or e.low > high else UNDECIDED
    if "below" in part:
        limit = part["below"]
        return SUPPORTED if e.high < limit else REFUTED if e.low > limit else UNDECIDED
    limit = part["above"]
    return SUPPORTED if e.low > limit else REFUTED if e.high < limit else UNDECIDED


def judge_part(part: dict[str, Any], evidence: Sequence[Evidence], missing: str) -> PartVerdict:
    """`missing` says what is not there when `evidence` is empty."""
    outcomes = [outcome(part, e) for e in evidence]
    if not evidence:
        verdict, because = UNDECIDED, missing
    elif REFUTED in outcomes and SUPPORTED in outcomes and not _is_universal(part):
        verdict, because = UNDECIDED, "campaigns contradict each other: " + _told(evidence)
    elif REFUTED in outcomes:
        verdict = REFUTED
        because = _told([e for e, o in zip(evidence, outcomes) if o == REFUTED])
    elif all(o == SUPPORTED for o in outcomes):
        verdict, because = SUPPORTED, _told(evidence)
    elif SUPPORTED in outcomes and not _is_universal(part):
        verdict = SUPPORTED
        because = _told([e for e, o in zip(evidence, outcomes) if o == SUPPORTED])
    else:
        verdict = UNDECIDED
        because = _told([e for e, o in zip(evidence, outcomes) if o == UNDECIDED])
    return PartVerdict(wanted(part), part["why"], verdict, because, tuple(evidence))


def _is_universal(part: dict[str, Any]) -> bool:
    """A claim about each server: one that does not fit refutes it, one undecided leaves it open."""
    return "each" in part


def _told(evidence: Sequence[Evidence]) -> str:
    return "; ".join(_one(e) for e in evidence)


def _one(e: Evidence) -> str:
    size = f"{e.value:.3g}"
    if e.blocks is not None:
        size += f" ({e.low:.3g} to {e.high:.3g}, {e.blocks} blocks)"
    flaw = f": {e.flaw}" if e.flaw else ""
    return f"{e.subject} {size}{flaw}"


def judge(hypothesis: dict[str, Any], parts: Sequence[PartVerdict]) -> Verdict:
    """A claim from its parts."""
    found = [p.verdict for p in parts]
    if REFUTED in found:
        verdict = REFUTED
    elif all(v == SUPPORTED for v in found):
        verdict = SUPPORTED
    else:
        verdict = UNDECIDED
    reasons = [p for p in parts if p.verdict == verdict] or list(parts)
    because = "; ".join(f"{p.because} [claimed: {p.wanted}]" for p in reasons)
    return Verdict(
        hypothesis["id"], hypothesis["claim"], verdict, because, hypothesis["decider"], tuple(parts)
    )
