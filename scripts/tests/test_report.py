"""The report is one file, hides no failure, and says no more than the data do."""

from __future__ import annotations

import dataclasses
import json
import re
from html import escape, unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

import judge
import plot_cost
import report
import report_figure
import report_sections
import results
import sentences
import synthetic
from analysis.record import analyse, load_analysis
from figures import Drawing


def page_of(campaign: Path) -> str:
    loaded = results.load(campaign)
    return report.page(loaded, analyse(loaded))


@pytest.fixture(scope="module")
def sick_page(sick: Path) -> str:
    return page_of(sick)


@pytest.fixture(scope="module")
def healthy_page(healthy: Path) -> str:
    return page_of(healthy)


def small(blocks: int) -> synthetic.Recipe:
    """Enough for a page, and drawn in a second."""
    return synthetic.Recipe(blocks=blocks, servers=synthetic.SERVERS[1:3], clients=(8, 64), cpus=(1,))


class Loads(HTMLParser):
    """Everything on a page that would make a browser fetch something; and unbalanced elements."""

    VOID = {"meta", "link", "img", "br", "hr", "input", "use", "path"}

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.ids: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            # A link waits for a click; what may not be is what a browser gets by itself.
            if tag != "a" and name in ("src", "href", "xlink:href", "srcset", "data", "action"):
                if not (value or "").startswith("#"):
                    self.fetched.append(f"{tag} {name}={value}")
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


def test_page_loads_nothing_and_is_well_formed(sick_page: str) -> None:
    loads = Loads()
    loads.feed(sick_page)
    assert loads.fetched == []
    assert loads.open == []
    assert len(loads.ids) == len(set(loads.ids)), "figures must not share ids"
    assert not re.search(r"@import|url\((?!#)|<link|https?://", sick_page)


def point_of(cell: results.Cell) -> str:
    return cell.identity.rpartition("/b")[0]


def test_every_failed_gate_and_reason_is_on_the_page(sick: Path, sick_page: str) -> None:
    text = unescape(sick_page)
    point_of_mp = "mp/prefork/mp prefork/plaintext/c512/k1"
    for cell in results.load(sick).cells:
        for gate in cell.gates:
            assert gate.name in text
            if gate.verdict == "fail":
                assert gate.text in text and point_of(cell) in text
        if cell.status == "failed":
            assert cell.reason in text and point_of(cell) in text
        for warning in cell.warnings:
            assert warning.code in text and warning.text in text
    assert f">{point_of_mp}</code>" in sick_page and "blocks 0, 1, 2, 3, 4, 5, 6: " in text


def test_text_from_files_is_escaped(sick_page: str) -> None:
    assert "<exit 1>" not in sick_page and "&lt;exit 1&gt;" in sick_page


def test_page_says_how_to_reproduce_it(healthy: Path, healthy_page: str) -> None:
    page = healthy_page
    loaded = results.load(healthy)
    assert "archbench run synthetic.json" in page and "seed 1." in page
    assert loaded.about["provenance"]["commit"] in page and loaded.cells_sha256 in page


def headline(campaign: Path) -> str:
    loaded = results.load(campaign)
    found = sentences.headline(analyse(loaded))
    return " ".join(f"{f.place}. {f.text}" for f in found)


def caveats(campaign: Path) -> str:
    loaded = results.load(campaign)
    return " ".join(sentences.caveats(analyse(loaded)))


def test_headline_names_the_leader_and_by_how_much(healthy: Path) -> None:
    text = headline(healthy)
    assert "Per server CPU-second st process does most" in text
    assert "times edsm epoll (1." in text
    assert "cannot be told apart" not in text


def test_equal_servers_cannot_be_told_apart(tmp_path: Path) -> None:
    st = synthetic.Server("st", "process", "st process", 80_000, 20_000)
    edsm = synthetic.Server("edsm", "epoll", "edsm epoll", 80_000, 20_000)
    campaign = synthetic.write(tmp_path, synthetic.Recipe(servers=(edsm, st), seed=5))
    text = headline(campaign)
    assert "it cannot be told apart from" in text
    assert "times" not in text.split("Of its own peak")[0]
    assert "no A/A twins" in caveats(campaign)


def test_the_winner_is_whoever_wins(tmp_path: Path) -> None:
    st = synthetic.Server("st", "process", "st process", 40_000, 20_000)
    edsm = synthetic.Server("edsm", "epoll", "edsm epoll", 80_000, 20_000)
    text = headline(synthetic.write(tmp_path, synthetic.Recipe(servers=(edsm, st))))
    assert "Per server CPU-second edsm epoll does most" in text
    assert re.search(r"(1\.9\d|2\.0\d) times st process", text)


def test_four_blocks_claim_no_confidence_they_cannot_have(tmp_path: Path) -> None:
    campaign = synthetic.write(tmp_path, synthetic.Recipe(blocks=4))
    assert "ahead in each of 4 blocks" in headline(campaign)
    assert "87.5 %" in caveats(campaign) and "needs at least 6" in caveats(campaign)
    assert 'class="ahead"' not in report_sections.comparison(analyse(results.load(campaign)))


@pytest.mark.parametrize("blocks", [1, 2])
def test_even_one_block_gives_a_page(blocks: int, tmp_path: Path) -> None:
    page = page_of(synthetic.write(tmp_path, small(blocks)))
    assert not re.search(r"\b(nan|inf)\b", re.sub(r"<[^>]*>", " ", page))


def test_campaign_in_which_everything_failed_says_so(tmp_path: Path) -> None:
    recipe = small(2)
    recipe.failed = {cell["cell"] for cell in synthetic.cells(recipe)}
    campaign = synthetic.write(tmp_path, recipe)
    assert "nothing can be said" in headline(campaign)
    assert "8 cells excluded" in page_of(campaign)


def test_exclusions_are_in_the_headline(sick: Path, sick_page: str) -> None:
    assert "No usable cell of mp prefork" in headline(sick)
    assert "mp prefork at 512 clients on 1 CPU (plaintext): 7 of 7" in caveats(sick)
    assert "8 cells excluded" in sick_page


def test_twins_without_a_usable_block_are_not_called_absent(tmp_path: Path) -> None:
    recipe = synthetic.Recipe(blocks=2)
    recipe.gated = {c["cell"]: "littles_law" for c in synthetic.cells(recipe)}
    text = caveats(synthetic.write(tmp_path, recipe))
    assert "edsm epoll and edsm epoll (twin) share no usable block" in text


def test_starvation_is_named(tmp_path: Path) -> None:
    identity = "mt/thread/mt thread/plaintext/c512/k1/b0"
    made = synthetic.write(tmp_path, synthetic.Recipe(gated={identity: "every_client_served"}))
    wanted = "got no answer at all from mt thread at 512 clients on 1 CPU (1 of 7 cells)"
    assert wanted in caveats(made)
    assert all(cell.usable for cell in results.load(made).cells), "starvation is a finding"


@pytest.mark.parametrize(
    ("why", "said"),
    [("precision", "precise enough; 3 cells"), ("budget", "time was spent; 3 cells"),
     (None, "not complete: 3 cells")],
)
def test_campaign_that_ended_early_says_why(why: str | None, said: str, healthy: Path) -> None:
    analysis = dataclasses.replace(analyse(results.load(healthy)), cells_missing=3, stopped=why)
    assert said in " ".join(sentences.caveats(analysis))


def test_verdicts_beside_the_campaign_are_on_the_page(tmp_path: Path) -> None:
    campaign = synthetic.write(tmp_path, small(6))
    assert judge.main([str(campaign)]) == 0
    section = report_sections.verdicts(campaign)
    record = json.loads((campaign / "verdicts.json").read_text())
    for v in record["verdicts"]:
        assert f"<strong>{v['id']}</strong>" in section and escape(v["because"]) in section
    assert "Could decide: " in section and 'class="supported"' in section
    assert report_sections.verdicts(tmp_path / "nowhere") == ""


def test_report_script_writes_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    campaign = synthetic.write(tmp_path, small(2))
    assert report.main([str(campaign)]) == 0
    assert capsys.readouterr().out == f"{campaign / 'report.html'}\n"
    assert (campaign / "report.html").read_text() == page_of(campaign)


def test_each_of_several_figures_says_its_workload_above(rich: Path, healthy_page: str) -> None:
    page = report.page(results.load(rich), load_analysis(rich))
    found = re.search(r'<figure id="differences-bytes-65536"[^>]*><h3>([^<]*)</h3>', page)
    assert found and found[1] == "bytes-65536"
    assert not re.search(r"<figure[^>]*><h3>", healthy_page), "one figure alone needs no name"


def test_paper_is_white_whatever_the_screen_is(healthy_page: str) -> None:
    dark = re.findall(r"@media[^{]*dark[^{]*", healthy_page)
    assert dark and all("screen" in condition for condition in dark)


def test_small_numbers_in_figures_are_whole(healthy: Path) -> None:
    drawing = next(d for d in plot_cost.drawings(analyse(results.load(healthy))) if isinstance(d, Drawing))
    figure = drawing.draw(False, "")
    figure.axes[0].text(0, 0, "0.000636")
    assert ">0.000636<" in report_figure.inline(figure, "p", "")
