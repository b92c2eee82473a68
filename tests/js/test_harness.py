"""The browsers do what the tests ask of them, and tell what went wrong in a page."""

from pathlib import Path

import pytest

from support.browsers import Browser, BrowserError
from support.serving import served

PAGE = """<!doctype html><html lang="en"><title>t</title><meta name="viewport" content="width=device-width">
<main><h1>Title</h1><input id="file" type="file" aria-label="file"><p id="out"></p></main>
<script>document.querySelector("#file").addEventListener("change", async (event) => {
  document.querySelector("#out").textContent = await event.target.files[0].text(); });</script>"""


@pytest.fixture
def page_file(tmp_path: Path) -> Path:
    path = tmp_path / "page.html"
    path.write_text(PAGE)
    return path


def test_a_page_from_a_file_takes_a_file_and_shows_it(each_browser: Browser, page_file: Path) -> None:
    page = each_browser.open(page_file.as_uri())
    (page_file.parent / "given.txt").write_text("what is given")
    page.upload("#file", page_file.parent / "given.txt")
    page.wait_for('document.querySelector("#out").textContent !== ""')
    assert page.text("#out") == "what is given"
    assert page.evaluate("return [1, argument]", {"a": "é"}) == [1, {"a": "é"}]
    shot = page_file.parent / "shot.png"
    page.screenshot(shot)
    assert shot.read_bytes().startswith(b"\x89PNG")
    assert page.errors() == []
    assert page.axe() == []
    page.close()


def test_requests_and_errors_of_a_page_are_seen(browser: Browser, page_file: Path) -> None:
    with served(page_file.parent) as url:
        page = browser.open(f"{url}/page.html")
        page.evaluate("await fetch('/absent.json'); console.error('said'); setTimeout(() => { nothing(); })")
        page.wait_for("performance.getEntriesByType('resource').length > 0")
        page.evaluate("await new Promise((done) => setTimeout(done, 100))")
    assert f"{url}/absent.json" in page.requests()
    assert any("said" in error for error in page.errors())
    assert any("nothing" in error for error in page.errors())
    page.close()


def test_a_command_that_fails_says_why(browser: Browser, page_file: Path) -> None:
    page = browser.open(page_file.as_uri())
    with pytest.raises(BrowserError, match="broken on purpose"):
        page.evaluate("throw new Error('broken on purpose')")
    page.close()
