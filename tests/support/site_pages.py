"""The site's pages as the tests read them: rendered into a folder, parsed by an HTML5 parser."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

import html5lib  # type: ignore[import-untyped]

from issuer.adapters.pages import JinjaPages
from issuer.intake.catalogue import load_policies
from issuer.services.publish import SitePublisher
from support.log import TestLog

SITE = Path(__file__).parents[2] / "site"
BUILT_AT = 1_800_000_000
ORIGIN = "registry.test"


@dataclass(frozen=True)
class Page:
    """A page: its name, its tree, the parser's errors."""

    name: str
    tree: Element
    errors: tuple[str, ...]

    def all(self, *tags: str) -> list[Element]:
        """The elements of these tags, in order."""
        return [each for each in self.tree.iter() if each.tag in tags]

    @property
    def ids(self) -> list[str]:
        """Every id."""
        return [each.attrib["id"] for each in self.tree.iter() if "id" in each.attrib]

    @property
    def text(self) -> str:
        """What is read on the page, white space as one space."""
        return " ".join("".join(_texts(self.tree)).split())


def _texts(element: Element) -> Iterator[str]:
    if element.tag in {"script", "style", "head"} or not isinstance(element.tag, str):
        return
    yield element.text or ""
    for child in element:
        yield from _texts(child)
        yield child.tail or ""


def parse_page(name: str, data: bytes) -> Page:
    """A page by the HTML5 parsing algorithm, with the errors that it defines."""
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    tree = parser.parse(data.decode())
    errors = tuple(f"{position}: {error} {details}" for position, error, details in parser.errors)
    return Page(name, tree, errors)


def publish(folder: Path) -> dict[str, bytes]:
    """Everything that a release publishes, by name."""
    log = TestLog(folder)
    store = log.ports().public if (folder / "registry").exists() else log.init().public
    SitePublisher(ORIGIN, 60, store, load_policies(), JinjaPages(SITE)).run(BUILT_AT)
    return {name: store.read(name) or b"" for name in store.list("")}
