#!/usr/bin/python3
"""Remake everything that is committed from the reference campaigns; or take a new campaign in first.

    scripts/reference                          figures, verdicts, model, README, of what is there
    scripts/reference DIR                      first make this campaign the reference of its plan

A campaign that is taken in is analysed while its raw reports are there; its cells and these are packed,
because unpacked they are ten times as large. Where that is still too large, the reports of a campaign
beside the main one may be removed: figures and verdicts need its analysis alone. The claims are judged
by all reference campaigns together, and the verdicts stand with the one that the README and the paper
speak of. The same cells give the same files, byte by byte. What remains is to look at the figures, to
read the README's words beside its new numbers, and to commit.
"""

from __future__ import annotations

import argparse
import lzma
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import analyse
import figure_catalogue
import figures
import judge
import predict
import readme_numbers
from analysis.model import model
from analysis.record import load_analysis
from results import CELLS, PACKED_CELLS, BadData, cells_bytes, fatal, load

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "results" / "reference"
KEPT = ("campaign.json", "stop.json", "analysis.json")
# The campaign that the README and the paper speak of, and the one of few cells in many blocks that knows
# best what servers do under load. Others may lie beside them, as that of the demands does, of which the
# paper's prediction is made.
MAIN, PRECISE = REFERENCE / "full", REFERENCE / "claims"
# What a clone may weigh because of it.
MOST_BYTES = 20_000_000


def campaigns(reference: Path = REFERENCE) -> list[Path]:
    """All reference campaigns, the main one first."""
    found = (p.parent for p in reference.glob("*/campaign.json"))
    return sorted(found, key=lambda p: (p.name != MAIN.name, p.name))


def weight_bytes(reference: Path = REFERENCE) -> int:
    """The size of all its files."""
    return sum(p.stat().st_size for p in reference.rglob("*") if p.is_file())


def take_in(directory: Path, reference: Path = REFERENCE) -> Path:
    """Analyses a finished campaign and makes it the reference of its plan."""
    campaign = load(directory)
    if campaign.missing and campaign.stopped is None:
        raise BadData(f"{directory} lacks {campaign.missing} cells of its plan; let it finish first")
    if (directory / "raw").is_dir():
        analyse.main([str(directory)])
    target = reference / campaign.name
    if target.resolve() != directory.resolve():
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        for name in KEPT:
            if (directory / name).is_file():
                shutil.copy(directory / name, target)
    packed = lzma.compress(cells_bytes(directory), preset=9 | lzma.PRESET_EXTREME)
    (target / PACKED_CELLS).write_bytes(packed)
    if target.resolve() == directory.resolve():
        (target / CELLS).unlink(missing_ok=True)
    if (directory / "raw").is_dir():
        pack(directory, target / "raw.tar.xz")
    return target


def pack(directory: Path, archive: Path) -> None:
    """The raw reports as one archive: sorted and without owners or dates, so the same each time."""
    tar = ["tar", "--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mtime=@0"]
    # What is no report: the live counters, which belong to the run.
    tar += ["--exclude=*.live", "-C", str(directory), "-cf", "-", "raw"]
    with archive.open("wb") as out, subprocess.Popen(tar, stdout=subprocess.PIPE) as made:
        # Text has no alignment (pb), and what a letter is depends on more of the one before it (lc).
        subprocess.run(["xz", "-T1", "--lzma2=preset=9,lc=4,lp=0,pb=0"], stdin=made.stdout, stdout=out, check=True)
    if made.returncode:
        raise BadData(f"{directory / 'raw'} could not be packed")


def remake(campaign: Path) -> None:
    """Everything below one reference campaign that is made from its analysis."""
    shutil.rmtree(campaign / "figures", ignore_errors=True)
    if model(load_analysis(campaign)) is not None:
        predict.main([str(campaign)])
    figures.main(figure_catalogue.__doc__, figure_catalogue.drawings, [str(campaign)])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/reference", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("campaigns", type=Path, nargs="*", metavar="DIR", help="finished campaigns")
    options = parser.parse_args(arguments)
    try:
        for directory in options.campaigns:
            take_in(directory)
        for campaign in campaigns():
            if not (campaign / "analysis.json").is_file():
                analyse.main([str(campaign)])
            remake(campaign)
        judge.main([str(campaign) for campaign in campaigns()])
        readme_numbers.write(MAIN, PRECISE)
        weight = weight_bytes()
        if weight > MOST_BYTES:
            raise BadData(
                f"{REFERENCE} holds {weight:,} bytes and may hold {MOST_BYTES:,}; remove a campaign"
                f" beside {MAIN.name}, or raw.tar.xz of one"
            )
    except (BadData, OSError, subprocess.CalledProcessError) as error:
        fatal(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
