"""What only `scripts/test --all` runs: the rest of a large set, of which a sample is always run."""

from collections.abc import Sequence
from typing import Any

import pytest

THOROUGH = pytest.mark.thorough


def thorough(value: object) -> Any:
    """A parameter for `scripts/test --all` alone."""
    return pytest.param(value, marks=THOROUGH)


def sampled(values: Sequence[object], every: int) -> list[Any]:
    """Parameters of which one in `every`, the first to begin with, is always run."""
    return [thorough(value) if number % every else value for number, value in enumerate(values)]


def sampled_rows(rows: Sequence[tuple[object, ...]], every: int) -> list[Any]:
    """The same of rows of parameters."""
    return [pytest.param(*row, marks=THOROUGH if number % every else ()) for number, row in enumerate(rows)]
