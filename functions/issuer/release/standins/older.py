"""What Python 3.8 to 3.10 lack of the standard library that the other modules use."""

import dataclasses
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import timezone
from enum import Enum
from typing import Any, TypeVar

V = TypeVar("V")

UTC = timezone.utc  # noqa: UP017
"""`datetime.UTC`, which came with 3.11."""


class StrEnum(str, Enum):  # noqa: UP042
    """`enum.StrEnum`, which came with 3.11: members are strings, and print as such."""

    __str__ = str.__str__
    __format__ = str.__format__  # type: ignore[assignment]


def dataclass(made: Any = None, **options: Any) -> Any:
    """`dataclasses.dataclass`, without slots where it has none (before 3.10)."""
    if sys.version_info < (3, 10):  # noqa: UP036
        options.pop("slots", None)
    decorate: Callable[[Any], Any] = dataclasses.dataclass(**options)
    return decorate if made is None else decorate(made)


def pairwise(items: Iterable[V]) -> Iterator[tuple[V, V]]:
    """`itertools.pairwise`, which came with 3.10."""
    listed = list(items)
    return zip(listed, listed[1:])  # noqa: B905, RUF007
