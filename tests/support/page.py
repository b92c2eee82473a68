"""The verifier's page in one file, as it is built from this repository."""

from pathlib import Path

from issuer.release.page import build_page

SITE = Path(__file__).parents[2] / "site"


def page_parts() -> tuple[str, str, dict[str, str]]:
    """Template, style sheet and modules."""
    folder = SITE / "assets" / "verify"
    modules = {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.js"))}
    template = (SITE / "templates" / "verify.html").read_text(encoding="utf-8")
    return template, (folder / "verify.css").read_text(encoding="utf-8"), modules


def verifier_page(trust: bytes) -> bytes:
    """verify.html with this trust root."""
    return build_page(*page_parts(), trust)
