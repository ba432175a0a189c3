"""A page in a browser: formulas have a place, symbols explain themselves, links lead on, and nothing is fetched."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from symrnn import cells, derive
from symrnn.documents import write

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = [
    pytest.mark.peer,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        # Without the sandbox, which needs rights that a container has not.
        opened = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("pages")
    for name, language in (("lstm", "en"), ("gru", "zh"), ("mlstm", "en")):
        text = write(derive(cells[name]), "html", language=language)
        (made / f"{name}.html").write_text(text, encoding="utf-8")
    return made


class Visit:
    """A page that is open, and what it asked for."""

    def __init__(self, browser: Any, file: Path, **options: Any) -> None:
        self.context = browser.new_context(**{"viewport": {"width": 1100, "height": 900}} | options)
        self.page = self.context.new_page()
        self.asked: list[str] = []
        self.said: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.goto(file.as_uri())

    def __enter__(self) -> Any:
        return self.page

    def __exit__(self, *error: object) -> None:
        self.context.close()
        if error[0] is None:
            assert len(self.asked) == 1, self.asked
            assert self.said == []


BOXES = """() => [...document.querySelectorAll('math')].filter(m => !m.closest('[aria-hidden]')).map(m => {
  const box = m.getBoundingClientRect(); return [m.getAttribute('alttext') || m.textContent, box.width, box.height]})"""


@pytest.mark.parametrize("name", ["lstm", "gru", "mlstm"])
def test_formulas_have_a_place_and_no_latex_is_left(browser: Any, folder: Path, name: str) -> None:
    with Visit(browser, folder / f"{name}.html") as page:
        boxes = page.evaluate(BOXES)
        assert len(boxes) > 100
        assert [box for box in boxes if box[1] < 2 or box[2] < 4] == []
        # Laid out as mathematics: a subscript is lower and smaller than its letter.
        letter, index = page.evaluate(
            "() => [...document.querySelector('#eq-h').parentElement.querySelector('msub').children]"
            ".map(e => {const b = e.getBoundingClientRect(); return [b.bottom, b.height]})"
        )
        assert index[0] > letter[0] - letter[1] / 2
        text = page.evaluate("() => document.body.innerText")
        assert "\\" not in text
        assert "$" not in text


def test_a_symbol_explains_itself_and_leads_to_its_definition(browser: Any, folder: Path) -> None:
    with Visit(browser, folder / "lstm.html") as page:
        tip = page.locator("#tip")
        assert not tip.is_visible()
        symbol = page.locator("a.symbol[data-words^='f_t: intermediate']").last
        symbol.scroll_into_view_if_needed()
        symbol.hover()
        assert tip.is_visible()
        assert tip.inner_text() == "f_t: intermediate, ℝ^d_h"
        symbol.click()
        assert page.evaluate("location.hash") == "#eq-f"
        assert 0 <= page.locator("#eq-f").bounding_box()["y"] < 900


def test_the_keyboard_reaches_everything(browser: Any, folder: Path) -> None:
    with Visit(browser, folder / "lstm.html") as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        assert page.locator(".skip").bounding_box()["x"] >= 0
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "text"
        page.locator("#forward ~ .display").first.focus()
        page.keyboard.press("ArrowRight")
        assert page.evaluate("document.activeElement.dataset.words").startswith("f_t")
        assert page.locator("#tip").is_visible()
        page.keyboard.press("ArrowRight")
        assert page.evaluate("document.activeElement.dataset.words").startswith("a_{f,t}")
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none"
        page.keyboard.press("Escape")
        assert not page.locator("#tip").is_visible()


def test_it_works_without_its_script(browser: Any, folder: Path) -> None:
    with Visit(browser, folder / "lstm.html", java_script_enabled=False) as page:
        symbol = page.locator("a.symbol[title^='f_t: intermediate']").last
        symbol.click()
        assert page.url.endswith("#eq-f")


def test_dark_and_light(browser: Any, folder: Path) -> None:
    shades = {}
    for scheme in ("light", "dark"):
        with Visit(browser, folder / "lstm.html", color_scheme=scheme) as page:
            shades[scheme] = page.evaluate(
                "() => ['backgroundColor', 'color'].map(name => getComputedStyle(document.body)[name])"
            )
    assert shades["light"] == ["rgb(255, 255, 255)", "rgb(27, 31, 36)"]
    assert shades["dark"] == ["rgb(20, 23, 27)", "rgb(228, 231, 235)"]


@pytest.mark.parametrize("name", ["lstm", "mlstm"])
def test_a_telephone_scrolls_formulas_and_not_the_page(browser: Any, folder: Path, name: str) -> None:
    with Visit(browser, folder / f"{name}.html", viewport={"width": 390, "height": 800}) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert page.evaluate("[...document.querySelectorAll('.display')].some(d => d.scrollWidth > d.clientWidth)")


def test_print_leaves_out_what_only_a_screen_needs(browser: Any, folder: Path) -> None:
    with Visit(browser, folder / "lstm.html") as page:
        page.emulate_media(media="print")
        assert not page.locator("nav").is_visible()
        assert page.locator("#forward").is_visible()


def test_a_page_that_fetches_is_noticed(browser: Any, folder: Path) -> None:
    text = (folder / "gru.html").read_text(encoding="utf-8").replace("Content-Security-Policy", "x-nothing")
    bad = folder / "bad.html"
    bad.write_text(text.replace("<main", '<img src="missing.png"><main'), encoding="utf-8")
    with pytest.raises(AssertionError, match=r"missing\.png"), Visit(browser, bad) as page:
        page.wait_for_timeout(50)
