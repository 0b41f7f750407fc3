"""How every figure looks: colours, lines, marks, numbers, files.

An architecture has one colour and one mark everywhere (figures, report, paper); models of the same
architecture differ in the dashes of their line. The colours are those of Okabe and Ito, which
remain distinct with every common form of colour blindness; marks and dashes say the same again.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")  # no display is needed, and none is looked for
import matplotlib.figure
import matplotlib.ticker
import PIL.Image

from analysis.record import Analysis

INK = "#1c1f23"
FAINT = "#7d848c"  # ticks, frames, leaders
GRID = "#e4e7ea"

LINE = {
    "mp": "#d55e00", "mt": "#cc79a7", "edsm": "#0072b2",
    "st": "#009e73", "peer": "#8a8f95", "custom": "#56b4e9",
}
# The same hues dark enough to be read as text on white (contrast of at least 4.5).
TEXT = {
    "mp": "#a84a00", "mt": "#a04a7c", "edsm": "#005f94",
    "st": "#007455", "peer": "#5f646a", "custom": "#1f6f9f",
}
MARK = {"mp": "s", "mt": "^", "edsm": "o", "st": "D", "peer": "v", "custom": "P"}
DASHES: tuple[Any, ...] = (
    "-", (0, (5, 2)), (0, (1.2, 1.6)), (0, (6, 2, 1.2, 2)), (0, (10, 2)), (0, (3, 1.4, 1.2, 1.4, 1.2, 1.4)),
)

matplotlib.rcParams.update(
    {
        "font.family": "DejaVu Sans",
        "font.size": 8.5,
        "axes.edgecolor": FAINT,
        "axes.labelcolor": INK,
        "axes.linewidth": 0.7,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlelocation": "left",
        "axes.titlesize": 9,
        "axes.titleweight": "bold",
        "axes.titlecolor": INK,
        "axes.grid": True,
        "axes.grid.axis": "y",
        "axes.axisbelow": True,
        "grid.color": GRID,
        "grid.linewidth": 0.7,
        "text.color": INK,
        "xtick.color": FAINT,
        "ytick.color": FAINT,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "lines.linewidth": 1.5,
        "lines.markersize": 4.2,
        "svg.fonttype": "none",  # text stays text: small, searchable, takes the page's colour
        "svg.hashsalt": "archbench",  # the same data give the same bytes
    }
)


@dataclass(frozen=True)
class Look:
    """How one label is drawn."""

    architecture: str
    line: str
    text: str
    mark: str
    dashes: Any

    def own(self, *artists: Any) -> None:
        """Marks `artists` as this architecture's, so that the report can hide and show them."""
        for artist in artists:
            artist.set_gid(f"{OF}{self.architecture}")


OF = "of-"  # an SVG group whose id begins so belongs to the architecture that follows


def looks(analysis: Analysis) -> dict[str, Look]:
    """The look of every label; the n-th label of an architecture has the n-th dashes."""
    seen: dict[str, int] = {}
    found = {}
    for label in analysis.labels:
        kind = label.architecture
        nth = seen[kind] = seen.get(kind, -1) + 1
        found[label.name] = Look(
            kind, LINE[kind], TEXT[kind], MARK[kind], DASHES[nth % len(DASHES)]
        )
    return found


def svg(figure: Any) -> str:
    """The figure as SVG text: same data, same bytes; date and program are left out."""
    buffer = io.StringIO()
    metadata = {"Date": None, "Creator": None, "Format": None, "Type": None}
    figure.savefig(buffer, format="svg", metadata=metadata)
    # A campaign has dozens of these files: no indentation, and a hundredth of a point is fine enough.
    # Only in attributes: the text between them holds measured numbers.
    text = re.sub(r"[ \t]*\n[ \t]*", "\n", buffer.getvalue())
    text = re.sub(r'="[^"]*"', lambda found: re.sub(r"\d+\.\d{3,}", _shorter, found[0]), text)
    count = iter(range(1, len(text)))
    return re.sub(rf'id="({OF}\w+)"', lambda found: f'id="{found[1]}-{next(count)}"', text)


def _shorter(number: re.Match[str]) -> str:
    return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")


def save(figure: Any, stem: Path) -> list[Path]:
    """Writes stem.svg and stem.png and returns both paths."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    vector, pixels = Path(f"{stem}.svg"), Path(f"{stem}.png")
    vector.write_text(svg(figure), encoding="utf-8")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=150, facecolor="white")
    # A palette makes these files a third as large, and a campaign has dozens of them.
    image = PIL.Image.open(buffer).convert("RGB")
    # The one method that keeps the few dots of a name in their own colour.
    image = image.quantize(256, PIL.Image.Quantize.MAXCOVERAGE, dither=PIL.Image.Dither.NONE)
    image.save(pixels, optimize=True)
    return [vector, pixels]
