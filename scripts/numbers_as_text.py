"""Numbers for a reader: rates, durations, sizes, shares. Nothing here draws, so that the terminal can
use it without waiting for matplotlib."""

from __future__ import annotations


def rate(value: float, _place: object = None) -> str:
    """A rate for a reader: 85,200 as 85.2k. Three digits are more than the noise allows."""
    if value >= 1e6:
        return f"{value / 1e6:.3g}M"
    if value >= 1e4:
        return f"{value / 1e3:.3g}k"
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"


def duration(us: float) -> str:
    """Microseconds for a reader: 1,500 as 1.5 ms."""
    if us >= 1e6:
        return f"{us / 1e6:.3g} s"
    return f"{us / 1e3:.3g} ms" if us >= 1e3 else f"{us:.3g} µs"


def size(n_bytes: float) -> str:
    """A size for a reader: 65,536 as 64 KiB."""
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if n_bytes >= unit:
            return f"{n_bytes / unit:.3g} {name}"
    return f"{n_bytes:.3g} B" if n_bytes < 999.5 else f"{n_bytes:,.0f} B"


def percent(value: float, digits: int = 0) -> str:
    return f"{100 * value:.{digits}f} %"
