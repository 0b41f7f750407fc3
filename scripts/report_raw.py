"""The cells as the harness wrote them, inside the page: packed, and unpacked when one is asked for."""

from __future__ import annotations

import base64
import gzip

from results import Campaign, cells_bytes

# cells.jsonl shrinks to a tenth; a page that is 17 MB bare would be slow on a phone.
LEVEL = 9


def raw_cells(campaign: Campaign) -> str:
    """cells.jsonl as a script element that no browser runs; report.js reads it."""
    raw = gzip.compress(cells_bytes(campaign.directory), LEVEL, mtime=0)
    packed = base64.b64encode(raw).decode("ascii")
    return f'<script type="text/plain" id="raw-cells">{packed}</script>\n'
