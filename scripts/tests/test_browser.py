"""The report in a real browser: clicks do what they promise, and nothing is needed that is not there."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import browser
import report
import results
import synthetic
from analysis.record import analyse

pytestmark = pytest.mark.skipif(browser.chromium() is None, reason="no Chromium here")

RECIPE = synthetic.Recipe(
    blocks=2, servers=synthetic.SERVERS[1:3], clients=(8, 64), cpus=(1, 2),
    workloads=({"name": "small", "path": "/bytes/64"}, {"name": "large", "path": "/bytes/65536"}),
    gated={"mt/thread/mt thread/small/c64/k1/b1": "littles_law"},
)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    campaign = synthetic.write(tmp_path_factory.mktemp("report"), dataclasses.replace(RECIPE))
    loaded = results.load(campaign)
    (campaign / "report.html").write_text(report.page(loaded, analyse(loaded)))
    return campaign / "report.html"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[browser.Page]:
    with browser.opened(tmp_path_factory.mktemp("profile")) as opened:
        yield opened
        assert opened.errors == []


CELLS = "#cells details table"


def test_click_on_a_head_sorts_and_a_second_turns_it_round(page: browser.Page, path: Path) -> None:
    page.open(path)
    page.evaluate("document.querySelector('#cells details').open = true")
    column = f"[...document.querySelectorAll('{CELLS} tbody tr')].map(r => +r.cells[6].dataset.value)"
    head = f"document.querySelectorAll('{CELLS} th button')[6]"
    before = page.evaluate(column)
    page.evaluate(f"{head}.click()")
    up = page.evaluate(column)
    page.evaluate(f"{head}.click()")
    assert up == sorted(before) and page.evaluate(column) == sorted(before, reverse=True)
    assert before != up


def test_architecture_can_be_hidden_everywhere_and_shown_again(page: browser.Page, path: Path) -> None:
    page.open(path)
    visible = (
        "[...document.querySelectorAll('figure .of-mt')].filter(e => e.style.display !== 'none').length"
    )
    rows = "[...document.querySelectorAll('[data-of=mt]')].filter(e => e.offsetParent !== null).length"
    drawn, shown = page.evaluate(visible), page.evaluate(rows)
    assert drawn > 20 and shown > 0
    page.evaluate("document.querySelector('[data-toggle=mt]').click()")
    assert (page.evaluate(visible), page.evaluate(rows)) == (0, 0)
    assert page.evaluate("document.querySelector('[data-toggle=mt]').getAttribute('aria-pressed')") == "false"
    page.evaluate("document.querySelector('[data-toggle=mt]').click()")
    assert (page.evaluate(visible), page.evaluate(rows)) == (drawn, shown)


def test_workload_can_be_chosen(page: browser.Page, path: Path) -> None:
    page.open(path)
    page.evaluate(
        "const s = document.querySelector('.filters select'); s.value = 'small';"
        "s.dispatchEvent(new Event('change'))"
    )
    shown = page.evaluate(
        "[...document.querySelectorAll('figure')].filter(f => !f.hidden).map(f => f.dataset.workload)"
    )
    assert set(shown) == {"small", ""}, "figures over several workloads stay"


def test_figure_is_enlarged_zoomed_and_closed(page: browser.Page, path: Path) -> None:
    page.open(path)
    page.evaluate("document.querySelector('figure .enlarge').click()")
    assert page.evaluate("document.querySelector('dialog').open")
    box = "document.querySelector('dialog svg').getAttribute('viewBox').split(' ').map(Number)"
    whole = page.evaluate(box)
    page.evaluate("[...document.querySelectorAll('dialog button')].find(b => b.textContent === 'larger').click()")
    part = page.evaluate(box)
    assert part[2] == pytest.approx(whole[2] / 1.5) and part[0] > 0
    page.evaluate(
        "document.querySelector('dialog svg').dispatchEvent(new WheelEvent('wheel', {deltaY: 1}))"
    )
    assert page.evaluate(box)[2] > part[2]
    page.evaluate("[...document.querySelectorAll('dialog button')].find(b => b.textContent === 'whole').click()")
    assert page.evaluate(box) == pytest.approx(whole)
    page.evaluate("document.querySelector('dialog .close').click()")
    assert not page.evaluate("document.querySelector('dialog').open")


def test_every_cell_shows_the_line_that_the_harness_wrote(page: browser.Page, path: Path) -> None:
    page.open(path)
    lines = (path.parent / "cells.jsonl").read_text().splitlines()
    assert page.evaluate("document.querySelectorAll('td[data-line] button').length") == len(lines)
    for number in (1, len(lines)):
        shown = page.evaluate(
            f"""(async () => {{
              document.querySelector('td[data-line="{number}"] button').click();
              const dialog = document.querySelector('dialog');
              while (!dialog.querySelector('pre')) await new Promise(requestAnimationFrame);
              const text = dialog.querySelector('pre').textContent;
              dialog.querySelector('.close').click();
              dialog.replaceChildren();
              return text;
            }})()"""
        )
        assert json.loads(shown) == json.loads(lines[number - 1])


@pytest.mark.parametrize("width", [390, 1200])
def test_page_is_as_wide_as_the_screen(width: int, page: browser.Page, path: Path) -> None:
    page.open(path, width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    wide, narrow = (
        page.evaluate(f"getComputedStyle(document.querySelector('figure .{kind}')).display")
        for kind in ("wide", "narrow")
    )
    assert (wide, narrow) == (("none", "block") if width == 390 else ("block", "none"))


def test_failed_gates_are_in_plain_sight(page: browser.Page, path: Path) -> None:
    page.open(path)
    assert "1 cell excluded" in page.evaluate("document.querySelector('.alarm').innerText")
    assert "littles_law" in page.evaluate("document.querySelector('#gates').innerText")


def test_without_scripts_everything_can_be_read(page: browser.Page, path: Path) -> None:
    page.open(path, scripts=False)
    document = page.call("DOM.getDocument", depth=1)["root"]["nodeId"]

    def exists(selector: str) -> bool:
        found = page.call("DOM.querySelector", nodeId=document, selector=selector)
        return bool(found["nodeId"])

    assert exists("#findings .headline li") and exists("figure svg") and exists("#cells tbody tr")
    assert exists(".filters[hidden]"), "what needs scripts is not shown"
    assert not exists("button.enlarge") and not exists("td[data-line] button")
