"""Settings of all tests: time decides nothing, a failing example can be run again from what is printed."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from support.browsers import Browser, running_browser
from support.thorough import thorough

settings.register_profile(
    "attestlayer", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("attestlayer")


LONG = (
    *("fault/test_soak.py", "infra/test_local_cloud.py", "fault/test_killed.py", "fault/test_races.py"),
    *("fault/test_http_matrix.py", "fault/test_matrix.py"),
)
"""Files of tests that take long each."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long begins first in each process, or at the end one works and the others wait.

    pytest-xdist gives each of its processes an equal part of the list, to be taken from the front.
    """
    places = {path: number for number, path in enumerate(LONG)}
    place = {item: places.get("/".join(item.path.parts[-2:])) for item in items}
    first = sorted((item for item in items if place[item] is not None), key=lambda item: place[item] or 0)
    if not first:
        return
    rest = [item for item in items if place[item] is None]
    processes, left = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")), len(items)  # noqa: TID251
    items.clear()
    for number in range(processes):
        own, size = first[number::processes], left // (processes - number)
        taken = max(0, size - len(own))
        items += [*own, *rest[:taken]]
        rest, left = rest[taken:], left - size
    items += rest


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
