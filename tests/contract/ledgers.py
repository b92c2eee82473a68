"""What the ledger tests share."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from contract.racing import Factory
from issuer.errors import Code, ServiceError
from issuer.ports import Ledger


@dataclass(frozen=True)
class LedgerPlace:
    """One place, where a ledger can be opened again."""

    factory: Factory[Ledger]
    path: Path

    def open(self) -> Ledger:
        return self.factory.open(self.path)


def code_of(call: Callable[[], object]) -> Code:
    """The code of the `ServiceError` that the call must raise."""
    with pytest.raises(ServiceError) as caught:
        call()
    return caught.value.code
