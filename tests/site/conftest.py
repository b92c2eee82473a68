"""The rendered pages, and a served registry with its site: made once for a process."""

from collections.abc import Iterator

import pytest

from support.registry_site import RegistrySite, registry_site
from support.site_pages import Page, parse_page, publish


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Everything that a release publishes, by name."""
    return publish(tmp_path_factory.mktemp("published"))


@pytest.fixture(scope="session")
def pages(published: dict[str, bytes]) -> dict[str, Page]:
    """The pages of a release, parsed; but the verifier's, which is one file with everything in it."""
    names = [name for name in published if name.endswith(".html") and name != "verify.html"]
    return {name: parse_page(name, published[name]) for name in names}


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegistrySite]:
    """A registry with its site behind the local server."""
    with registry_site(tmp_path_factory.mktemp("registry")) as made:
        yield made
