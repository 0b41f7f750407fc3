"""All figures, in the order in which the report shows them."""

from __future__ import annotations

from collections.abc import Callable

import plot_load_scalability
import plot_system_scalability
from analysis.record import Analysis
from figures import Drawings

CATALOGUE: tuple[Callable[[Analysis], Drawings], ...] = (
    plot_load_scalability.drawings,
    plot_system_scalability.drawings,
)


def drawings(analysis: Analysis) -> Drawings:
    """Every figure that can be made of this campaign, and a sentence for each that cannot."""
    return [drawing for of in CATALOGUE for drawing in of(analysis)]
