"""verify.html: the browser verifier's page, its modules and a trust root in one file. Pure.

Each ES module becomes a function that is called at once, a module after those it imports. So the file reads
like the modules, and names of one module can't clash with those of another.
"""

import base64
import re
from collections.abc import Mapping, Sequence
from hashlib import sha256

from attestlayer.canonical import parse_json

START = "page.js"
"""The module that runs the page."""

_STYLE = '<link rel="stylesheet" href="../assets/verify/verify.css">'
_SCRIPT = f'<script type="module" src="../assets/verify/{START}"></script>'
_TRUST = '<script type="application/json" id="trust-root">null</script>'
_SOURCES = "script-src 'self'; style-src 'self'"

_NAMED = re.compile(r'^import \{([^}]*)\} from "\./([a-z0-9_]+\.js)";\n', re.MULTILINE)
_WHOLE = re.compile(r'^import \* as (\w+) from "\./([a-z0-9_]+\.js)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:async )?function\*?|const|class) (\w+)", re.MULTILINE)
_LEFT_OVER = re.compile(r"^\s*(?:import|export)\b.*|\bimport\s*\(|\bimport\.meta\b", re.MULTILINE)
_ENDS_SCRIPT = re.compile(r"</script|<!--|\]\]>", re.IGNORECASE)


class PageError(ValueError):
    """The parts can't be joined into one file; the message says which text is in the way."""


def build_page(template: str, style: str, modules: Mapping[str, str], trust: bytes) -> bytes:
    """The file's bytes. `modules`: texts by file name; `trust`: a trust root's bytes.

    Raises `PageError`, and `ValueError` if the trust root is no canonical JSON.
    """
    script = _script(modules)
    # Within an element the HTML parser looks for its end tag only, whatever JavaScript or CSS thinks of it.
    if _ENDS_SCRIPT.search(script) or "</style" in style.lower():
        raise PageError("a script or the style sheet holds what would end its element")
    # Content Security Policy by hashes: the browser runs these two texts and nothing that was put in later.
    sources = f"script-src '{_source(script)}'; style-src '{_source(style)}'"
    page = template
    for placeholder, part in (
        (_SOURCES, sources),
        (_STYLE, f"<style>{style}</style>"),
        (_TRUST, _TRUST.replace("null", _inline(trust))),
        (_SCRIPT, f"<script>{script}</script>"),
    ):
        if page.count(placeholder) != 1:
            raise PageError(
                f"the template holds {placeholder!a} {page.count(placeholder)} times, wanted once"
            )
        page = page.replace(placeholder, part)
    return page.encode()


def _source(text: str) -> str:
    """A hash source for a text (Content Security Policy Level 3, section 2.3.1)."""
    return f"sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}"


def _inline(trust: bytes) -> str:
    """The trust root as text for a script element. Raises `ValueError` unless it is canonical JSON.

    `<` is escaped so that no string in it can end the element. The page parses the JSON and formats it again,
    which gives back the signed bytes.
    """
    parse_json(trust)
    return trust.decode().replace("<", "\\u003c")


def _script(modules: Mapping[str, str]) -> str:
    parts = [_as_function(name, modules[name]) for name in _in_order(modules)]
    return '\n"use strict";\n' + "".join(parts)


def _in_order(modules: Mapping[str, str]) -> list[str]:
    """The modules that `START` needs, each after those it imports. Raises `PageError`."""
    order: list[str] = []
    waiting: list[tuple[str, tuple[str, ...]]] = [(START, ())]
    # Depth first without recursion. `above` is the chain of importers: a module that is in its own chain
    # imports itself.
    while waiting:
        name, above = waiting[-1]
        if name not in modules or name in above:
            raise PageError(
                f"{name} is imported by {' by '.join(reversed(above))} and is missing, or imports itself"
            )
        needed = [each for each in _imports(modules[name]) if each not in order]
        if needed:
            waiting.append((needed[0], (*above, name)))
        else:
            waiting.pop()
            order.append(name)
    return order


def _imports(text: str) -> Sequence[str]:
    return [match[2] for pattern in (_NAMED, _WHOLE) for match in pattern.finditer(text)]


def _as_function(name: str, text: str) -> str:
    # Regular expressions suffice as every other form of import or export is refused below.
    exported = [match[2] for match in _EXPORT.finditer(text)]
    body = _NAMED.sub(lambda match: f"const {{{match[1]}}} = {_variable(match[2])};\n", text)
    body = _WHOLE.sub(lambda match: f"const {match[1]} = {_variable(match[2])};\n", body)
    body = _EXPORT.sub(r"\1 \2", body)
    if rest := _LEFT_OVER.search(body):
        raise PageError(
            f"{name}: {rest.group().strip()!a} is a form of import or export that is not known here"
        )
    if re.search(r"\bas\b", "".join(match[1] for match in _NAMED.finditer(text))):
        raise PageError(f"{name}: an import under another name is not known here")
    return (
        f"\n/* ---- {name} ---- */\nconst {_variable(name)} = (() => {{\n{body}"
        f"\nreturn {{ {', '.join(exported)} }};\n}})();\n"
    )


def _variable(name: str) -> str:
    return f"module_{name.removesuffix('.js')}"
