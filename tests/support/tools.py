"""Tools that some tests need: absent, such a test is skipped; where everything is required, it fails."""

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

REQUIRE_ALL = "ATTESTLAYER_REQUIRE_ALL"
"""Set where every tool has to be there, so that no check is lost without a sign."""


def all_required() -> bool:
    """Whether everything is required."""
    return bool(os.environ.get(REQUIRE_ALL))  # noqa: TID251


def require(tool: str) -> Path:
    """The path of a command-line tool."""
    found = shutil.which(tool)
    if found is None:
        missing(f"{tool} is not installed")
    return Path(found)


def missing(what: str) -> NoReturn:
    """Skip the test, or fail it where everything is required."""
    if all_required():
        pytest.fail(what)
    pytest.skip(what)
