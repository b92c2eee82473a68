"""Pages in real browsers: accessible, whole on small screens, readable without scripts, used by keyboard."""

import pytest

from attestlayer.encoding import format_hash
from support.browsers import Browser, Page
from support.registry_site import RegistrySite
from support.thorough import THOROUGH

SHOWN = {
    "/": "!document.querySelector('[data-plot]').hidden",
    "/checkpoints.html": "!document.querySelector('[data-recent]').hidden",
    "/keys.html": "document.querySelector('[data-notices] dl')",
}
"""What a page shows once its scripts are done."""

PLAIN = (
    *(
        "/lookup.html",
        "/policies.html",
        "/policies/PAY-01-wire-transfer.html",
        "/transparency.html",
        "/404.html",
    ),
    *("/partners.html", "/faq.html", "/trust.html", "/documents.html", "/decisions/0013-look-up-index.html"),
    *("/serving.html", "/changelog.html", "/spec.html"),
)


def settled(browser: Browser, registry: RegistrySite, path: str, *, width: int, dark: bool) -> Page:
    page = browser.open(f"{registry.url}{path}", width=width, dark=dark)
    if path in SHOWN:
        page.wait_for(SHOWN[path])
    return page


def check(page: Page, path: str) -> None:
    assert page.axe() == [], path
    assert page.evaluate("return document.documentElement.scrollWidth <= innerWidth"), path
    assert page.errors() == [], path


PAGES = (*SHOWN, *PLAIN)


@pytest.mark.parametrize(
    ("width", "dark", "paths"),
    [
        pytest.param(1280, False, PAGES[::2], id="wide and light"),
        pytest.param(360, True, PAGES[1::2], id="narrow and dark"),
        pytest.param(1280, False, PAGES[1::2], id="wide and light, the others", marks=THOROUGH),
        pytest.param(360, True, PAGES[::2], id="narrow and dark, the others", marks=THOROUGH),
    ],
)
def test_every_page_is_accessible_and_fits(
    chromium: Browser, registry: RegistrySite, width: int, dark: bool, paths: tuple[str, ...]
) -> None:
    for path in paths:
        page = settled(chromium, registry, path, width=width, dark=dark)
        check(page, path)
        page.close()


@pytest.mark.parametrize(
    ("width", "dark"), [(1280, True), (360, False)], ids=["wide and dark", "narrow and light"]
)
def test_results_are_accessible_and_fit(
    chromium: Browser, registry: RegistrySite, width: int, dark: bool
) -> None:
    leaf = registry.leaves[3]
    for path in (
        f"/lookup.html#{format_hash(leaf.kit_digest)}",
        f"/entry.html#{format_hash(leaf.hash())}",
        "/checkpoints.html#2",
        "/lookup.html#nonsense",
    ):
        page = chromium.open(f"{registry.url}{path}", width=width, dark=dark)
        page.wait_for("document.querySelector('.verdict')")
        check(page, path)
        page.close()


def test_without_scripts_every_page_can_be_read(chromium: Browser, registry: RegistrySite) -> None:
    for path in (*SHOWN, *PLAIN, "/entry.html"):
        page = chromium.open(f"{registry.url}{path}", scripts=False)
        assert len(page.text("main")) > 200, path
        if path in {"/lookup.html", "/entry.html", "/checkpoints.html", "/keys.html", "/"}:
            assert "/v1/" in page.evaluate("return document.querySelector('noscript').innerHTML"), path
        page.close()


def test_a_look_up_needs_no_mouse(browser: Browser, registry: RegistrySite) -> None:
    page = browser.open(f"{registry.url}/lookup.html")
    page.press("Tab")
    assert page.evaluate("return document.activeElement.className") == "skip"
    reached = []
    for _ in range(20):
        page.press("Tab")
        reached.append(
            page.evaluate("return document.activeElement.id || document.activeElement.textContent.trim()")
        )
        if reached[-1] == "hash":
            break
    for letter in format_hash(registry.leaves[3].hash()):
        page.press(letter)
    page.press("Enter")
    page.wait_for("document.querySelector('.verdict.good')")
    page.press("Tab")
    assert page.evaluate("return document.activeElement.textContent") == "Look up"
    page.press("Tab")
    assert page.evaluate("return document.activeElement.id") == "file"
    page.close()


def test_print_leaves_out_what_paper_can_not_do(chromium: Browser, registry: RegistrySite) -> None:
    page = chromium.open(f"{registry.url}/lookup.html")
    page.media("print")
    hidden = "return getComputedStyle(document.querySelector(argument)).display"
    for selector in ("nav", ".lookup form", ".drop"):
        assert page.evaluate(hidden, selector) == "none"
    assert page.evaluate(hidden, ".boundary") != "none"
    page.close()


def test_pages_are_light(chromium: Browser, registry: RegistrySite) -> None:
    """What a page takes from the network before it can be read: itself and the style sheet."""
    style = len(registry.service.public.read("assets/registry.css") or b"")
    assert style < 20_000
    for name in registry.service.public.list(""):
        if name.endswith(".html") and name not in {"spec.html", "verify.html"}:
            assert len(registry.service.public.read(name) or b"") < 60_000, name
