"""The binder PDF, set by typst (a library, in process): PDF/A-3a and PDF/UA-1, the same bytes each time.

The template and its fonts are in the folder `binder`. No font of the system is used, and the only
date is the kit's. The bytes are a promise for one version of typst, which pyproject.toml pins.
"""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from issuer.adapters.binder.content import NAME_FONTS, binder_data
from issuer.adapters.binder.coverage import Coverage, parse_coverage
from issuer.adapters.binder.display import shown, shown_ascii
from issuer.model import Binder

if TYPE_CHECKING:
    import typst

_HOME = Path(__file__).parent


class TypstBinder:
    """Keeps `issuer.ports.BinderRenderer`'s promise. Stateless, safe to share between threads."""

    def render(self, binder: Binder) -> bytes:
        """The PDF. No text makes it fail."""
        import typst

        table = _coverage()
        try:
            return _typeset(binder, lambda text: shown(text, table))
        except typst.TypstError:
            # A font did not keep what its table says, say in how a script joins its letters. A kit is
            # worth more than a pretty name; a fault of the template fails here a second time.
            return _typeset(binder, shown_ascii)


def _typeset(binder: Binder, show: Callable[[str], str]) -> bytes:
    import segno
    import typst

    data = json.dumps(binder_data(binder, show), ensure_ascii=True, sort_keys=True).encode("ascii")
    # typst takes a mapping of in-memory files, which its type hints do not say.
    code = segno.make_qr(binder.verify_page, error="m").svg_inline(border=4, omitsize=True, dark="#111")
    files = cast("Any", {"main": _template(), "data.json": data, "verify.svg": code.encode("ascii")})
    return typst.compile(
        files,
        font_paths=_fonts(),
        ignore_system_fonts=True,
        pdf_standards=["a-3a", "ua-1"],
        timestamp=binder.issued_at,
    )


@cache
def _template() -> bytes:
    return (_HOME / "binder.typ").read_bytes()


@cache
def _fonts() -> "typst.Fonts":
    import typst

    return typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(_HOME / "fonts")]
    )


@cache
def _coverage() -> dict[str, Coverage]:
    table = parse_coverage((_HOME / "coverage.txt").read_text(encoding="ascii"))
    return {name: table[name] for name in NAME_FONTS}
