"""A running local server with a home of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from handlers.client import Site, running


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Without rounds of its own: tests make them when they want them."""
    with running(tmp_path / "home") as found:
        yield found
