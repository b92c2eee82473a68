"""Settings of all tests: time decides nothing, a failing example can be run again from what is printed."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from support.browsers import Browser, running_browser
from support.thorough import thorough

settings.register_profile(
    "attestlayer", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("attestlayer")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes minutes begins first, or at the end one process works and the others wait."""
    items.sort(key=lambda item: not item.path.match("fault/test_soak.py"))


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Chromium, running until the tests end."""
    with running_browser("chromium", tmp_path_factory.mktemp("chromium")) as running:
        yield running


@pytest.fixture(scope="session")
def firefox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Firefox, running until the tests end."""
    with running_browser("firefox", tmp_path_factory.mktemp("firefox")) as running:
        yield running


@pytest.fixture(scope="session", params=["chromium", thorough("firefox")])
def browser(request: pytest.FixtureRequest) -> Browser:
    """A real browser, and with `scripts/test --all` the second one too."""
    running: Browser = request.getfixturevalue(request.param)
    return running


@pytest.fixture(scope="session", params=["chromium", "firefox"])
def each_browser(request: pytest.FixtureRequest) -> Browser:
    """Both real browsers in turn, always."""
    running: Browser = request.getfixturevalue(request.param)
    return running
