"""A running local server, and a workspace of its own for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from handlers.client import Site, newcomer, running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One server for a module's tests, without rounds of its own: tests make them when they want them."""
    home: Path = tmp_path_factory.mktemp("server") / "home"
    with running(home) as found:
        yield found


@pytest.fixture
def site(server: Site) -> Site:
    """A workspace of its own, with ten credits."""
    return newcomer(server.service, server.url)
