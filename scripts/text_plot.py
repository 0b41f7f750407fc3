"""Small plots in text, for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from numbers_as_text import rate

HEIGHT = 12  # rows of a plot
COLUMN = 9  # characters for each x


@dataclass(frozen=True)
class Line:
    """One curve: `sign` marks its points; None where nothing was measured."""

    sign: str
    name: str
    y: tuple[float | None, ...]


def plot(title: str, x: Sequence[str], lines: Sequence[Line]) -> list[str]:
    """Points over named places, from 0 to the highest. Where points meet, a * stands for them."""
    highest = max((v for line in lines for v in line.y if v is not None), default=0.0)
    if highest <= 0:
        return [f"{title}: nothing was measured"]
    rows = [[" "] * (COLUMN * len(x)) for _ in range(HEIGHT + 1)]
    for line in lines:
        for place, value in enumerate(line.y):
            if value is None:
                continue
            row = rows[HEIGHT - round(HEIGHT * value / highest)]
            at = place * COLUMN + COLUMN // 2
            row[at] = line.sign if row[at] == " " else "*"
    shown = [title]
    for number, row in enumerate(rows):
        # Names stand at every fourth row, which leaves a reader room.
        value = highest * (HEIGHT - number) / HEIGHT
        name = rate(value) if number % 4 == 0 else ""
        shown.append(f"{name:>7} |{''.join(row)}".rstrip())
    shown.append(" " * 8 + "+" + "-" * (COLUMN * len(x)))
    shown.append(" " * 9 + "".join(f"{name:^{COLUMN}}" for name in x).rstrip())
    shown.append(" " * 9 + "   ".join(f"{line.sign} {line.name}" for line in lines))
    return shown


def signs(names: Sequence[str]) -> dict[str, str]:
    """A letter for each name: its first that is still free."""
    found: dict[str, str] = {}
    for name in names:
        free = [c for c in name.lower() + "0123456789" if c.isalnum() and c not in found.values()]
        found[name] = free[0] if free else "?"
    return found
