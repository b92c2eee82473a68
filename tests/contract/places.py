"""What tests over several adapters share."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import pytest

from contract.racing import Factory
from issuer.errors import Code, ServiceError

T = TypeVar("T")


@dataclass(frozen=True)
class Place(Generic[T]):
    """One place, where what is kept there can be opened again."""

    factory: Factory[T]
    path: Path

    def open(self) -> T:
        return self.factory.open(self.path)


def code_of(call: Callable[[], object]) -> Code:
    """The code of the `ServiceError` that the call must raise."""
    with pytest.raises(ServiceError) as caught:
        call()
    return caught.value.code
