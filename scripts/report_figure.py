"""A figure as a part of the report: inline SVG that takes the colours of the page.

The files in figures/ keep their fixed colours for print. Here each colour becomes a CSS variable
with the fixed colour as its default, so that dark mode needs no second set of figures.
"""

from __future__ import annotations

import re
from html import escape
from typing import Any

import figure_style as style
from figures import Drawing

VARIABLES = {
    style.INK: "ink", style.FAINT: "faint", style.GRID: "grid", "#ffffff": "page",
    **{colour: f"line-{kind}" for kind, colour in style.LINE.items()},
    **{colour: f"text-{kind}" for kind, colour in style.TEXT.items()},
}


# Letters of a figure come out as large as those of the text beside it.
PIXELS_PER_POINT = 1.7


def figure(drawing: Drawing, heading: str = "") -> str:
    """Both arrangements of one figure; the style sheet shows the one that fits."""
    name, caption = drawing.name, drawing.caption
    wide = inline(drawing.draw(False, ""), f"{name}-w", caption)
    narrow = inline(drawing.draw(True, ""), f"{name}-n", caption)
    return (
        f'<figure id="{escape(name)}" data-workload="{escape(drawing.workload)}">'
        f"{f'<h3>{escape(heading)}</h3>' if heading else ''}"
        f'<div class="wide">{wide}</div><div class="narrow">{narrow}</div>'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def inline(drawing: Any, prefix: str, description: str) -> str:
    """SVG text to stand in HTML. `prefix` keeps its ids apart from those of other figures."""
    text = style.svg(drawing)
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    head_end = text.index(">")
    view_box = re.search(r'viewBox="0 0 ([\d.]+) [^"]*"', text[:head_end])
    assert view_box is not None  # matplotlib always writes one
    widest = round(float(view_box.group(1)) * PIXELS_PER_POINT)
    body = text[head_end:]
    # A class, which may occur twice, for what belongs to one architecture: the filter goes by it.
    body = re.sub(rf'\bid="({style.OF}[a-z]+)-\d+"', r'class="\1"', body)
    body = _smaller(body, prefix)
    body = re.sub(r"#[0-9a-f]{6}\b", _variable, body)
    # Verdana is DejaVu's twin in width: labels keep their places where DejaVu is not installed.
    body = body.replace("'DejaVu Sans'", "'DejaVu Sans', Verdana, sans-serif")
    return (
        f'<svg {view_box.group()} style="max-width:{widest}px" role="img"'
        f' aria-label="{escape(description)}"{body}'
    )


def _smaller(body: str, prefix: str) -> str:
    """Without the ids that nothing refers to; the others are kept apart from those of other figures."""
    used = set(re.findall(r'(?:xlink:href="#|url\(#)([^")]+)', body))
    body = re.sub(
        r' id="([^"]+)"', lambda m: f' id="{prefix}-{m[1]}"' if m[1] in used else "", body
    )
    body = re.sub(r'xlink:href="#([^"]+)"', rf'href="#{prefix}-\1"', body)
    body = re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}-\1)", body)
    body = re.sub(r' transform="rotate\(-0 [^"]*\)"', "", body)
    return re.sub(r"\n\s*", "\n", body)


def _variable(match: re.Match[str]) -> str:
    colour = match.group()
    name = VARIABLES.get(colour)
    return f"var(--fig-{name}, {colour})" if name else colour
