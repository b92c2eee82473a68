"""Pages of the registry's site from Jinja2 templates in a folder, and its assets as they are."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from issuer.errors import StoreError
from issuer.ports import SiteFacts

_ASSETS = "assets"
_PAGES = ("index.html",)


class JinjaPages:
    """Keeps `issuer.ports.PageRenderer`'s promise. `site` holds `templates` and `assets`."""

    def __init__(self, site: Path) -> None:
        self._site = site

    def render(self, facts: SiteFacts) -> Mapping[str, bytes]:
        """The site's objects by name. Raises `StoreError` if the site's folder can't be read."""
        environment = Environment(
            loader=FileSystemLoader(self._site / "templates"), autoescape=True, undefined=StrictUndefined
        )
        try:
            pages = {name: environment.get_template(name).render(asdict(facts)).encode() for name in _PAGES}
            assets = {
                str(path.relative_to(self._site)): path.read_bytes()
                for path in sorted((self._site / _ASSETS).rglob("*"))
                if path.is_file()
            }
        except OSError as error:
            raise StoreError(f"the site's folder {self._site}: {error.strerror}") from error
        return pages | assets
