#!/usr/bin/python3
"""Build the paper: every number in it is looked up in what was measured.

    scripts/paper                          paper/build/paper.pdf from results/reference
    scripts/paper --campaign DIR DIR       from others: of the plans full, claims and demands

In paper/paper.tex a number is written

    \\measured{TABLE}{KEY=VALUE,...}{PATH}{FORMAT}

which is the one row of that table for which all keys have those values, the value at that path in it
(dots between names), and how it is printed: 1, 2 or 3 decimals, `int` with thousands separated,
`round` to three digits, `k` in thousands, `percent`, `kib`, or `interval` before one of these for "median (low to high)".
The tables are those of analysis.json; claims_... those of the campaign `claims`, model_... of the model, which the campaign `demands` is
for; `libraries` of paper/library_sizes.json;
`source`, the size of each architecture's own code. \\maybe{...} is the same, and says so where no cell
is usable. \\verdict{H8} is what became of a registered claim, \\verdictrows the table of all, and
\\byverdict{H8}{TEXT}{TEXT}{TEXT} the sentence for supported, refuted or undecided: no sentence says more
than its verdict. Digits anywhere else, outside \\given{...} (what was chosen, not measured), are
refused, and so is a row that does not exist. \\includegraphics{figures/NAME.pdf} is the figure of that
name, NAME-narrow.pdf the same with its panels in one column, and \\described{NAME} the sentences that
stand below it elsewhere. The same data make the same file, byte by byte.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import figure_catalogue
import plot_prediction
import remake
from analysis import source_size
from analysis.evidence import FIRST_FILES
from analysis.record import load_analysis
from figures import Drawing
from results import BadData

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "paper" / "paper.tex"
BUILD = ROOT / "paper" / "build"

MEASURED = re.compile(r"\\(measured|maybe)\{([^{}]*)\}\{([^{}]*)\}\{([^{}]*)\}\{([^{}]*)\}")
BY_VERDICT = re.compile(r"\\byverdict\{([^{}]*)\}" + r"\s*\{([^{}]*)\}" * 3)
NOT_USABLE = "(no usable cell)"
NOT_MEASURED = "(not measured)"
FIGURE = re.compile(r"\\includegraphics(?:\[[^\]]*\])?\{figures/([^{}]*?)(-narrow)?\.pdf\}")
DESCRIBED = re.compile(r"\\described\{([^{}]*)\}")
VERDICT = re.compile(r"\\verdict\{([^{}]*)\}")
# Tables that have rows only for what was usable.
DERIVED = ("load_curves", "system_steps", "comparisons", "model_calibrations", "model_accuracies",
           "model_limits", "model_curves")
# Commands whose arguments are names or lengths and not said to the reader.
SILENT = re.compile(
    r"\\(?:given|cite|ref|label|includegraphics|input|bibitem|usepackage|documentclass|begin|end|"
    r"hspace|vspace|verb|texttt|code|described|pagestyle|bibliographystyle|setlength)"
    r"(?:\[[^\]]*\])?(?:\{[^{}]*\})*")


class Refused(Exception):
    """The paper says something that the data do not."""


class NothingUsable(Refused):
    """Cells ran for this number, and none passed its gates."""


def tex(text: str) -> str:
    """Text as LaTeX prints it."""
    for plain, escaped in (("\\", r"\textbackslash "), ("&", r"\&"), ("%", r"\%"), ("_", r"\_"),
                           ("#", r"\#"), ("$", r"\$")):
        text = text.replace(plain, escaped)
    return text


def shown(value: float, form: str) -> str:
    """One number as the paper prints it."""
    if form == "int":
        return f"{value:,.0f}".replace(",", r"\,")
    if form == "percent":
        return f"{100 * value:.0f}\\,\\%"
    if form == "round":
        return shown(float(f"{value:.3g}"), "int")
    if form == "k":
        return f"{value / 1000:.1f}"
    if form == "kib":
        return f"{value / 1024:.0f}\\,KiB"
    if form in ("1", "2", "3"):
        return f"{value:.{form}f}"
    raise Refused(f"'{form}' is no format; known are int, round, k, percent, kib, 1, 2, 3 and interval"
                  " with one of them")


def printed(value: Any, form: str) -> str:
    """A value of the analysis, with its interval where that is asked for."""
    if form.startswith("interval "):
        form = form.removeprefix("interval ")
        middle = value.get("median", value.get("ratio", value.get("value")))
        return f"{shown(middle, form)} ({shown(value['low'], form)} to {shown(value['high'], form)})"
    if isinstance(value, dict):
        value = value.get("median", value.get("ratio", value.get("value")))
    if not isinstance(value, (int, float)):
        raise Refused(f"{value!r} is not a number")
    return shown(float(value), form)


def row_of(analysis: dict[str, Any], table: str, keys: str) -> dict[str, Any]:
    """The one row of a table that the keys name."""
    wanted = dict(part.split("=", 1) for part in keys.split(",") if part)
    rows = [row for row in analysis.get(table, [])
            if all(str(row.get(name)) == value for name, value in wanted.items())]
    if not rows and table.endswith(DERIVED):  # of points without a usable cell nothing is derived
        raise NothingUsable(f"no row of '{table}' has {keys}")
    if len(rows) != 1:
        raise Refused(f"{len(rows)} rows of '{table}' have {keys}; exactly one is wanted")
    row: dict[str, Any] = rows[0]
    if row.get("usable", 1) == 0:
        raise NothingUsable(f"no usable cell is behind the row of '{table}' with {keys}")
    return row


def measured(analysis: dict[str, Any], match: re.Match[str]) -> str:
    """What stands for one \\measured{}."""
    command, table, keys, path, form = match.groups()
    if table == "campaign" and keys not in analysis:
        raise Refused(f"no campaign that was given has '{keys}'; name those of the plans full, claims and demands")
    try:
        value: Any = analysis[keys] if table == "campaign" else row_of(analysis, table, keys)
    except NothingUsable:
        if command == "maybe":
            return NOT_USABLE
        raise
    for name in filter(None, path.split(".")):
        if not isinstance(value, dict) or name not in value:
            if command == "maybe":
                return NOT_MEASURED
            raise Refused(f"the row of '{table}' with {keys} has no '{path}'")
        value = value[name]
    return printed(value, form)


def verdict_rows(verdicts: dict[str, Any]) -> str:
    """The table of claims."""
    return "\n".join(f"{claim['id']} & {tex(claim['claim'])} & {tex(claim['verdict'])} & "
                     f"{tex(claim['because'])}{_decider(claim)} \\\\" for claim in verdicts["verdicts"])


def _decider(claim: dict[str, Any]) -> str:
    """What could decide the claim, where these cells do not."""
    undecided = claim["verdict"] not in ("supported", "refuted")
    return rf". \emph{{To decide: {tex(claim['decider'])}.}}" if undecided else ""


def refuse_bare_digits(source: str) -> None:
    """Raises Refused for the first number that stands in the text and was not measured."""
    body = source[source.index(r"\begin{document}"):]
    offset = source[:source.index(r"\begin{document}")].count("\n") + 1
    listing = False
    for number, line in enumerate(body.splitlines(), offset):
        listing = (listing or r"\begin{verbatim}" in line) and r"\end{verbatim}" not in line
        text = re.sub(r"(?<!\\)%.*", "", line)
        text = re.sub(r"\\byverdict\{[^{}]*\}", "", text)
        for pattern in (MEASURED, VERDICT, SILENT):
            text = pattern.sub("", text)
        if not listing and (digit := re.search(r"\d", text)):
            raise Refused(f"{SOURCE.relative_to(ROOT)}:{number}: '{text[max(0, digit.start() - 20):digit.end() + 10]}' "
                          "has a number that is neither \\measured nor \\given")


def expand(source: str, analysis: dict[str, Any], verdicts: dict[str, Any]) -> str:
    """The paper with its numbers."""
    refuse_bare_digits(source)
    by_id = {claim["id"]: claim for claim in verdicts["verdicts"]}

    def verdict(match: re.Match[str]) -> str:
        if match.group(1) not in by_id:
            raise Refused(f"\\verdict{{{match.group(1)}}}: no such claim is registered")
        return tex(str(by_id[match.group(1)]["verdict"]))

    def sentence(match: re.Match[str]) -> str:
        ways = dict(zip(("supported", "refuted", "undecided here"), match.groups()[1:]))
        if match.group(1) not in by_id:
            raise Refused(f"\\byverdict{{{match.group(1)}}}: no such claim is registered")
        return ways[by_id[match.group(1)]["verdict"]].strip()

    source = MEASURED.sub(lambda match: measured(analysis, match), source)
    source = BY_VERDICT.sub(sentence, source)
    source = VERDICT.sub(verdict, source)
    return source.replace(r"\verdictrows", verdict_rows(verdicts))


def predicting(campaigns: list[Path]) -> Path:
    """The campaign that the model is made of: that of the demands, or the first where none is given."""
    names = [load_analysis(c).campaign for c in campaigns]
    return campaigns[names.index("demands") if "demands" in names else 0]


def tables(campaigns: list[Path]) -> dict[str, Any]:
    """Everything that a number may be looked up in; the first campaign's by their own names."""
    campaign, *others = campaigns
    found: dict[str, Any] = json.loads((campaign / "analysis.json").read_text())
    for other in others:
        analysis = json.loads((other / "analysis.json").read_text())
        found |= {f"{analysis['campaign']}_{name}": value for name, value in analysis.items()}
    made = BUILD / "model.json"
    subprocess.run([ROOT / "scripts" / "model", predicting(campaigns), "-o", made], check=True,
                   stdout=subprocess.DEVNULL)
    model = json.loads(made.read_text())
    found |= {f"model_{name}": model[name] for name in model if isinstance(model[name], list)}
    sizes = json.loads((ROOT / "paper" / "library_sizes.json").read_text())
    found["libraries"] = sizes["libraries"]
    own = source_size.own_sizes(ROOT, FIRST_FILES, "baselines/")
    found["source"] = [{"architecture": name, **dataclasses.asdict(size)} for name, size in own.items()]
    return found


def draw(text: str, campaigns: list[Path]) -> str:
    """Draws the figures that the text shows, as lines and letters and not as dots; returns the text with
    what \\described{} of them asks for. All are the first campaign's, but the prediction."""
    campaign = campaigns[0]
    folder = BUILD / "figures"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    made = figure_catalogue.drawings(load_analysis(campaign))
    made += plot_prediction.drawings(load_analysis(predicting(campaigns)))  # instead of its own
    drawings = {d.name: d for d in made if isinstance(d, Drawing)}

    def known(name: str) -> Drawing:
        if name not in drawings:
            raise Refused(f"the paper shows '{name}', and {campaign} has no data for this figure")
        return drawings[name]

    for name, narrow in sorted(set(FIGURE.findall(text))):
        # Without its date a file is the same each time.
        known(name).draw(bool(narrow), "").savefig(
            folder / f"{name}{narrow}.pdf", metadata={"CreationDate": None})
    return DESCRIBED.sub(lambda match: tex(known(match.group(1)).caption), text)


def build(campaigns: list[Path]) -> Path:
    """Writes paper/build/paper.pdf of the first campaign; the claims are judged by all of them."""
    campaign = campaigns[0]
    BUILD.mkdir(exist_ok=True)
    analysis = tables(campaigns)
    judged = BUILD / "verdicts.json"
    subprocess.run([ROOT / "scripts" / "verdicts", *campaigns, "-o", judged], check=True,
                   stdout=subprocess.DEVNULL)
    text = expand(SOURCE.read_text(), analysis, json.loads(judged.read_text()))
    (BUILD / "paper.tex").write_text(draw(text, campaigns))
    # The date of the data is the date of the document, so that the same data make the same bytes.
    epoch = subprocess.run(["date", "-u", "-d", analysis["started_utc"], "+%s"], check=True,
                           capture_output=True, text=True).stdout.strip()
    environment = {**os.environ, "SOURCE_DATE_EPOCH": epoch, "FORCE_SOURCE_DATE": "1"}
    done = subprocess.run(["latexmk", "-pdf", "-interaction=nonstopmode", "-halt-on-error",
                           "paper.tex"], cwd=BUILD, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        complaints = [line for line in done.stdout.splitlines() if line.startswith("!")]
        raise Refused(f"LaTeX: {'; '.join(complaints) or 'see paper/build/paper.log'}")
    return BUILD / "paper.pdf"


def main() -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(prog="scripts/paper", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--campaign", type=Path, nargs="+", default=remake.campaigns(), metavar="DIR",
                        help="folders with analysis.json (default: the reference campaigns)")
    arguments = parser.parse_args()
    if shutil.which("latexmk") is None:
        print("paper: latexmk is missing; 'scripts/setup paper' installs it", file=sys.stderr)
        return 1
    if not (arguments.campaign[0] / "analysis.json").is_file():
        print(f"paper: {arguments.campaign[0]} has no analysis.json; measure with 'scripts/sweep --full' "
              "and name its folder with --campaign", file=sys.stderr)
        return 1
    try:
        print(build(arguments.campaign))
    except (Refused, BadData, OSError, KeyError, subprocess.CalledProcessError) as error:
        print(f"paper: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
