"""What figures are put together from: panels in inches, curves with bands, axes, labels at the ends."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib.figure
import matplotlib.ticker
import matplotlib.transforms

from analysis.intervals import Interval
from analysis.points import Point
from analysis.record import Analysis
from figure_style import FAINT, INK, Look
from numbers_as_text import duration, percent, rate

# In inches. A narrow figure is one panel wide and readable on a phone without zooming.
WIDE_PANEL, NARROW_PANEL, PANEL_HEIGHT = 3.3, 2.55, 2.5
LEFT, RIGHT_FOR_LABELS, ABOVE, BELOW = 0.72, 1.3, 0.42, 0.58
CAPTION_LINE = 0.165
POINTS_PER_INCH = 72
LABEL_SIZE = 8.0
MOST_BANDS = 4  # in one panel; of more the lowest cannot be seen
STEP_ASIDE = 1.8  # points between two curves that stand beside each other


@dataclass
class Curve:
    """What one label shows in one panel: parallel lists over x. None is a gap in the line."""

    label: str
    x: list[float]
    y: list[Interval | None]
    hollow: list[bool]  # the server was not, or not certainly, the limit
    ringed: list[bool]  # some clients were never answered
    set_aside: list[tuple[float, ...]]  # what single excluded cells measured
    unmeasured: list[bool]  # no cell measured anything


def curves(
    analysis: Analysis, points: Sequence[Point], metric: str, x: Callable[[Point], float]
) -> list[Curve]:
    """One curve for each label with a point, over what `x` says of a point.

    The second of two A/A twins is the same server again: it shows noise where noise is the question,
    and would only be a name too many here.
    """
    found = []
    for label in analysis.labels:
        own = sorted((p for p in points if p.label == label.name), key=x)
        if own and label.twin_of is None:
            found.append(
                Curve(
                    label=label.name,
                    x=[x(p) for p in own],
                    y=[p.metrics.get(metric) for p in own],
                    hollow=[p.not_its_limit for p in own],
                    ringed=[p.starved > 0 for p in own],
                    set_aside=[p.set_aside.get(metric, ()) for p in own],
                    unmeasured=[p.usable == 0 and not p.set_aside.get(metric) for p in own],
                )
            )
    return found


def plain_curve(label: str, x: Sequence[float], y: Sequence[Interval | None]) -> Curve:
    """A curve of which nothing was excluded or limited."""
    nothing = [False] * len(x)
    return Curve(label, list(x), list(y), nothing, nothing, [()] * len(x), nothing)


def legend(axes: Any, labels: Sequence[str], look: dict[str, Look]) -> None:
    """Names beside the panel, each in its colour with a piece of its line: for curves that have no
    common end to be named at."""
    for place, label in enumerate(labels):
        y = 0.97 - place * LABEL_SIZE * 1.5 / (PANEL_HEIGHT * POINTS_PER_INCH)
        own = look[label]
        line = axes.plot(
            [1.03, 1.11], [y, y], transform=axes.transAxes, color=own.line, linestyle=own.dashes,
            clip_on=False,
        )
        name = axes.text(
            1.13, y, label, transform=axes.transAxes, fontsize=LABEL_SIZE, color=own.text, va="center"
        )
        own.own(*line, name)


def say_in(axes: Any, text: str) -> None:
    """A sentence in the place of a panel's data."""
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", color=FAINT, fontsize=8)
    axes.set_yticks([])


def panels(
    rows: int, columns: int, caption: str, narrow: bool, width: float = WIDE_PANEL, *,
    left: float = LEFT, right: float = RIGHT_FOR_LABELS, height: float = PANEL_HEIGHT,
) -> tuple[Any, list[list[Any]]]:
    """A figure and its axes as rows of columns, laid out in inches; narrow stacks the columns.

    `left` and `right` are the room beside each panel, for the names of an axis and of curves.
    """
    width = min(width, NARROW_PANEL) if narrow else width
    grid_rows, grid_columns = (rows * columns, 1) if narrow else (rows, columns)
    cell_width = left + width + right
    cell_height = ABOVE + height + BELOW
    total_width = grid_columns * cell_width
    lines = _wrapped(caption, total_width) if caption else []
    below = CAPTION_LINE * len(lines) + (0.1 if lines else 0.0)
    total_height = grid_rows * cell_height + below
    figure = matplotlib.figure.Figure(figsize=(total_width, total_height))
    made = []
    for place in range(rows * columns):
        row, column = divmod(place, grid_columns)
        x, y = column * cell_width + left, total_height - (row + 1) * cell_height + BELOW
        made.append(
            figure.add_axes(
                (x / total_width, y / total_height, width / total_width, height / total_height)
            )
        )
    for number, line in enumerate(reversed(lines)):
        y = (0.08 + number * CAPTION_LINE) / total_height
        figure.text(0.12 / total_width, y, line, fontsize=7.5, color=FAINT)
    return figure, [made[r * columns : (r + 1) * columns] for r in range(rows)]


def _wrapped(caption: str, width: float) -> list[str]:
    characters_per_inch = 17.5  # of 7.5 point DejaVu Sans, on average
    return textwrap.wrap(caption, int((width - 0.3) * characters_per_inch))


def draw_curves(axes: Any, curves: Sequence[Curve], look: dict[str, Look]) -> None:
    """All curves of a panel. Many stand a little beside each other, with a line at each mark in place
    of a band: bands that lie over one another hide what they are drawn for."""
    many = len(curves) > MOST_BANDS
    for place, curve in enumerate(curves):
        aside = (place - (len(curves) - 1) / 2) * STEP_ASIDE if many else 0.0
        _draw_curve(axes, curve, look[curve.label], place, aside, band=not many)


def _draw_curve(
    axes: Any, curve: Curve, look: Look, place_at_foot: int, aside: float, band: bool
) -> None:
    """Interval, line and marks of one label; a small cross for each single cell that was excluded.

    `place_at_foot` keeps the crosses of labels apart where nothing was measured; `aside` is in points.
    """
    moved = axes.transData + matplotlib.transforms.ScaledTranslation(
        aside / POINTS_PER_INCH, 0, axes.figure.dpi_scale_trans
    )
    runs: list[list[int]] = [[]]
    for place, interval in enumerate(curve.y):
        if interval is None:
            runs.append([])  # nothing usable: the line must not bridge the gap
        else:
            runs[-1].append(place)
    drawn: list[Any] = []
    for run in filter(None, runs):
        x = [curve.x[i] for i in run]
        shown = [interval for i in run if (interval := curve.y[i]) is not None]
        low, high = [s.low for s in shown], [s.high for s in shown]
        if band:
            drawn.append(axes.fill_between(x, low, high, color=look.line, alpha=0.13, linewidth=0))
        else:
            drawn.append(axes.vlines(x, low, high, color=look.line, linewidth=0.9, alpha=0.6, transform=moved))
        drawn += axes.plot(
            x, [s.median for s in shown], color=look.line, linestyle=look.dashes, transform=moved
        )
    for place, (x_value, interval) in enumerate(zip(curve.x, curve.y)):
        drawn += _excluded(axes, curve, place, look, place_at_foot, moved)
        if interval is None:
            continue
        drawn += axes.plot(
            [x_value], [interval.median], look.mark, color=look.line, zorder=4, clip_on=False, transform=moved,
            markerfacecolor="white" if curve.hollow[place] else look.line, markeredgewidth=1.1,
        )
        if curve.ringed[place]:
            drawn += axes.plot(
                [x_value], [interval.median], "o", color=INK, markersize=9.5,
                markerfacecolor="none", markeredgewidth=0.9, zorder=5, clip_on=False, transform=moved,
            )
    look.own(*drawn)


def _excluded(
    axes: Any, curve: Curve, place: int, look: Look, place_at_foot: int, moved: Any
) -> list[Any]:
    """A small cross for each excluded value, a thick one at the foot where nothing was measured."""
    values = curve.set_aside[place]
    drawn: list[Any] = []
    if values:
        drawn += axes.plot(
            [curve.x[place]] * len(values), values, "x", color=look.line, markersize=4.5,
            markeredgewidth=0.9, alpha=0.85, clip_on=False, zorder=3, transform=moved,
        )
    if curve.unmeasured[place]:
        foot = 0.025 + 0.045 * place_at_foot
        drawn += axes.plot(
            [curve.x[place]], [foot], "x", color=look.line, markersize=7, markeredgewidth=1.8,
            transform=axes.get_xaxis_transform(), clip_on=False, zorder=5,
        )
    return drawn


def label_curves(axes: Any, curves: Sequence[Curve], look: dict[str, Look]) -> None:
    """The name of each curve at its right end, moved apart where they would overlap.

    Call it when limits and scales are final: it thinks in points on the page.
    """
    height = PANEL_HEIGHT * POINTS_PER_INCH
    ends = []
    for curve in curves:
        known = [(x, y.median) for x, y in zip(curve.x, curve.y) if y is not None]
        if known:
            x, y = known[-1]
            to_axes = axes.transData + axes.transAxes.inverted()
            ends.append((float(to_axes.transform((x, y))[1]) * height, x, y, curve.label))
    ends.sort(key=lambda end: (end[0], end[3]))
    places = _apart([end[0] for end in ends], LABEL_SIZE * 1.3, height)
    for (at, x, y, label), place in zip(ends, places):
        x_axes = float((axes.transData + axes.transAxes.inverted()).transform((x, y))[0])
        gap = (1.0 - x_axes) * axes.get_position().width * axes.figure.get_figwidth()
        note = axes.annotate(
            label, xy=(x, y), xytext=(gap * POINTS_PER_INCH + 12, place - at),
            textcoords="offset points", fontsize=LABEL_SIZE, color=look[label].text, va="center",
            annotation_clip=False,
            # The leader ends before the first letter; one to the middle would cross its neighbours.
            arrowprops={"arrowstyle": "-", "color": FAINT, "linewidth": 0.5,
                        "relpos": (0, 0.5), "shrinkA": 1.5, "shrinkB": 3.5},
        )
        look[label].own(note, note.arrow_patch)


def _apart(wanted: Sequence[float], distance: float, height: float) -> list[float]:
    """`wanted`, ascending, moved as little as needed to be `distance` apart within 0..height."""
    # Each cluster of labels that touch is centred on the mean of what its members want.
    clusters: list[list[float]] = []
    for value in wanted:
        clusters.append([value])
        while len(clusters) > 1 and _top(clusters[-2], distance, height) + distance > _bottom(
            clusters[-1], distance, height
        ):
            last = clusters.pop()
            clusters[-1] += last
    places = []
    for cluster in clusters:
        start = _bottom(cluster, distance, height)
        places += [start + distance * i for i in range(len(cluster))]
    return places


def _bottom(cluster: Sequence[float], distance: float, height: float) -> float:
    span = distance * (len(cluster) - 1)
    return min(max(sum(cluster) / len(cluster) - span / 2, 0.0), height - span)


def _top(cluster: Sequence[float], distance: float, height: float) -> float:
    return _bottom(cluster, distance, height) + distance * (len(cluster) - 1)


def client_axis(axes: Any, clients: Sequence[int]) -> None:
    """A logarithmic axis with a tick at each load that was run, as far as they can be read."""
    quantity_axis(axes, clients, "clients (simultaneous connections)", lambda n: f"{int(n):,}")


def quantity_axis(
    axes: Any, values: Sequence[float], name: str, shown: Callable[[float], str]
) -> None:
    """A logarithmic axis over what was varied. A value of 0 stands one step left of the smallest."""
    high = max(values)
    low = min((v for v in values if v > 0), default=1.0)
    if min(values) <= 0:
        axes.set_xscale("symlog", linthresh=low, linscale=0.5)
        axes.set_xlim(-0.1 * low, high * 1.12)
    else:
        axes.set_xscale("log")
        axes.set_xlim(low / 1.25, high * 1.12)
    ticks: list[float] = []
    readable = (high / low) ** 0.09 if high > low else 1.0
    for n in sorted(set(values), reverse=True):  # the largest is the one to be named for certain
        if not ticks or n <= 0 or ticks[-1] / n >= readable:
            ticks.append(n)
    axes.xaxis.set_major_locator(matplotlib.ticker.FixedLocator(ticks[::-1]))
    axes.xaxis.set_major_formatter(matplotlib.ticker.FuncFormatter(lambda n, _: shown(n)))
    axes.xaxis.set_minor_locator(matplotlib.ticker.NullLocator())
    axes.set_xlabel(name)


def latency_axis(axes: Any, lowest_us: float, highest_us: float) -> None:
    """Logarithmic, because a stall is a thousand times the usual; in units that a reader says."""
    axes.set_yscale("log")
    axes.set_ylim(lowest_us / 1.4, highest_us * 1.4)
    axes.yaxis.set_major_formatter(matplotlib.ticker.FuncFormatter(lambda v, _: duration(v)))
    if highest_us < 30 * lowest_us:  # powers of ten alone would be one tick or two
        axes.yaxis.set_major_locator(matplotlib.ticker.LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_minor_formatter(matplotlib.ticker.NullFormatter())


def cpu_axis(axes: Any, cpus: Sequence[int]) -> None:
    """A linear axis with a tick at each number of CPUs."""
    span = max(1, max(cpus) - min(cpus))
    axes.set_xlim(min(cpus) - 0.08 * span, max(cpus) + 0.06 * span)
    axes.xaxis.set_major_locator(matplotlib.ticker.FixedLocator(sorted(cpus)))
    axes.xaxis.set_major_formatter(matplotlib.ticker.FuncFormatter(lambda n, _: f"{int(n)}"))
    axes.set_xlabel("CPUs given to the server")


def highest_rate(points: Sequence[Point], metric: str) -> float:
    """The top of a panel: all that is drawn, single excluded cells included."""
    shown = [p.metrics[metric].high for p in points if metric in p.metrics]
    return max(shown + [v for p in points for v in p.set_aside.get(metric, ())], default=0.0)


def rate_axis(axes: Any, highest: float, along: str = "y") -> None:
    """From 0, so that lengths may be compared; in thousands when the numbers are that large."""
    axis = axes.yaxis if along == "y" else axes.xaxis
    (axes.set_ylim if along == "y" else axes.set_xlim)(0, highest * 1.06 if highest > 0 else 1)
    # Along the foot of a narrow panel the numbers of six ticks would touch.
    ticks = 6 if along == "y" else 4
    axis.set_major_locator(matplotlib.ticker.MaxNLocator(ticks, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(matplotlib.ticker.FuncFormatter(rate))


def sample_sentence(analysis: Analysis, points: Sequence[Point], metric: str) -> str:
    """How many blocks stand behind each mark, and what the band therefore is."""
    shown = [p.metrics[metric] for p in points if metric in p.metrics]
    if not shown:
        return "No cell is usable." + _marks_sentence(points)
    fewest, most = min(s.n for s in shown), max(s.n for s in shown)
    blocks = f"{most} block{'s' * (most != 1)}" if fewest == most else f"{fewest} to {most} blocks"
    twins = {label.name for label in analysis.labels if label.twin_of is not None}  # are not drawn
    interval = "band" if len({p.label for p in points} - twins) <= MOST_BANDS else "line at a mark"
    surest, least = max(s.confidence for s in shown), min(s.confidence for s in shown)
    if least >= analysis.level:
        band = f"{interval}: {percent(analysis.level)} interval of the median"
    elif surest == 0:
        band = "one block has no interval"
    else:
        some = [s.confidence for s in shown if s.confidence > 0]
        sure = percent(min(some), 1) + (f" to {percent(surest, 1)}" if surest != min(some) else "")
        band = f"{interval}: range of the blocks, which covers the median with probability {sure}"
        band += "; a single block has none" * (least == 0)
    text = f"Median over {blocks}; {band}."
    return text + _marks_sentence(points)


def _marks_sentence(points: Sequence[Point]) -> str:
    """What the marks mean that occur in this figure."""
    text = ""
    if any(p.not_its_limit for p in points):
        text += " Hollow: the server was not, or not certainly, the limit."
    if any(p.starved for p in points):
        text += " Ringed: some clients were never answered."
    if any(p.excluded for p in points):
        text += (
            " Crosses: single cells that failed a gate, not in the medians;"
            " thick at the foot: nothing was measured."
        )
    return text
