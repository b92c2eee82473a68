"""Pages of the registry's site: Jinja2 templates, texts in Markdown, assets as they are."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from itertools import pairwise
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from attestlayer.log.layout import SECURITY, SPECIFICATION, VERIFIER_PAGE
from issuer.errors import StoreError
from issuer.intake.media import list_labels
from issuer.ports import SiteFacts
from issuer.release.page import build_page

_PAGES = (
    *("index.html", "lookup.html", "entry.html", "checkpoints.html", "keys.html", "policies.html"),
    *("transparency.html", "partners.html", "faq.html", "trust.html", "documents.html", "404.html"),
)
_COPIED = ("assets",)
_SPECIFICATION = "content/spec/REG-1.0.md"
_VERIFIER = "assets/verify"
_TEXTS = {"changelog.html": "content/changelog.md", "serving.html": "content/serving.md"}
_DECISIONS = "content/decisions"
_HEADING = re.compile(r"# (.+)")
_SCROLLING = '<div class="scroll" role="group" aria-label="Table" tabindex="0">'
"""A wide table scrolls sideways; as a focusable group it can be scrolled by keyboard (WCAG 2.1.1)."""
_NOT_IN_SLUG = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Text:
    """A Markdown text as HTML. `headings`: level, id and plain text of each, in order."""

    title: str
    body: Markup
    headings: tuple[tuple[int, str, str], ...]


class JinjaPages:
    """`issuer.ports.PageRenderer` with Jinja2. `site`: a folder with `templates`, `content` and `assets`."""

    def __init__(self, site: Path) -> None:
        self._site = site
        self._templates = _environment(site / "templates")

    def render(self, facts: SiteFacts) -> Mapping[str, bytes]:
        """The site's objects by name. Raises `StoreError` if the site's folder can't be read."""
        try:
            return self._render(facts)
        except OSError as error:
            raise StoreError(f"the site's folder {self._site}: {error.strerror}") from error

    def _render(self, facts: SiteFacts) -> dict[str, bytes]:
        known: dict[str, object] = {field.name: getattr(facts, field.name) for field in fields(facts)}
        decisions = self._decisions()
        specification = self._read(_SPECIFICATION)
        known |= {"decisions": decisions, "has_specification": specification is not None}
        known |= {"has_verifier": facts.trust is not None}
        pages = {name: self._page(name, name, known) for name in _PAGES}
        for policy in facts.policies:
            name = f"policies/{policy.lane_id}-{policy.profile_id}.html"
            pages[name] = self._page("policy.html", name, known | {"policy": policy})
        texts = {name: self._read(path) or "" for name, path in _TEXTS.items()}
        texts |= {f"decisions/{stem}.html": self._read(f"{_DECISIONS}/{stem}.md") or "" for stem in decisions}
        if specification is not None:
            texts["spec.html"] = specification
        for name, source in texts.items():
            pages[name] = self._page("text.html", name, known | {"text": read_text(source)})
        pages[SECURITY] = self._page("security.txt", SECURITY, known)
        if specification is not None:
            pages[SPECIFICATION] = specification.encode()
        if facts.trust is not None:
            pages[VERIFIER_PAGE] = self._verifier(facts.trust)
        return pages | self._copied()

    def _page(self, template: str, name: str, known: dict[str, object]) -> bytes:
        return self._templates.get_template(template).render({**known, "page": name}).encode()

    def _read(self, path: str) -> str | None:
        file = self._site / path
        return file.read_text("utf-8") if file.is_file() else None

    def _decisions(self) -> dict[str, str]:
        """Titles of the decision pages by file name, in order."""
        paths = sorted((self._site / _DECISIONS).glob("*.md"))
        return {path.stem: _title(path.read_text("utf-8")) for path in paths}

    def _verifier(self, trust: bytes) -> bytes:
        """The browser verifier in one file, with the registry's trust root inside."""
        modules = {path.name: path.read_text("utf-8") for path in (self._site / _VERIFIER).glob("*.js")}
        template, style = f"templates/{VERIFIER_PAGE}", f"{_VERIFIER}/verify.css"
        return build_page(self._read(template) or "", self._read(style) or "", modules, trust)

    def _copied(self) -> dict[str, bytes]:
        files = [path for folder in _COPIED for path in sorted((self._site / folder).rglob("*"))]
        return {str(path.relative_to(self._site)): path.read_bytes() for path in files if path.is_file()}


@cache
def _environment(templates: Path) -> Environment:
    """The templates, compiled once a process; Jinja2 compiles a changed one again."""
    environment = Environment(
        loader=FileSystemLoader(templates),
        autoescape=True,
        undefined=StrictUndefined,  # a misspelled fact fails the build instead of leaving a gap in a page
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["size"] = _size
    environment.filters["media"] = list_labels
    return environment


@cache
def read_text(source: str) -> Text:
    """Convert a Markdown text.

    Headings get ids; HTML in the text is escaped and so shown as it is written.
    """
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = markdown.parse(source)
    headings: list[tuple[int, str, str]] = []
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            words = inline.content.replace("`", "")
            anchor = _slug(words, {one for _, one, _ in headings})
            opening.attrSet("id", anchor)
            headings.append((int(opening.tag[1]), anchor, words))
    body = markdown.renderer.render(tokens, markdown.options, {})
    body = body.replace("<table>", f"{_SCROLLING}<table>").replace("</table>", "</table></div>")
    body = body.replace("<pre>", '<pre tabindex="0">')
    return Text(_title(source), Markup(body), tuple(headings))  # noqa: S704 - HTML in it was escaped


def _slug(words: str, taken: set[str]) -> str:
    plain = _NOT_IN_SLUG.sub("-", words.lower()).strip("-") or "section"
    slug, number = plain, 2
    while slug in taken:
        slug, number = f"{plain}-{number}", number + 1
    return slug


def _title(source: str) -> str:
    heading = _HEADING.search(source)
    return heading[1].replace("`", "") if heading else ""


def _size(length: int) -> str:
    """A number of bytes in the largest unit that divides it: 20 MiB."""
    for unit, name in ((1 << 20, "MiB"), (1 << 10, "KiB")):
        if length >= unit and length % unit == 0:
            return f"{length // unit} {name}"
    return f"{length:,} bytes"
