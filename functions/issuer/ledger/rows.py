"""Records as the bodies of items: one strict JSON text each.

pydantic checks types strictly both ways and refuses unknown members; bytes are base64. A member that
has a default may be missing, so that a record can grow one without a new schema.
"""

from types import GenericAlias
from typing import Any, Generic, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from issuer.errors import StoreError
from issuer.model import (
    ApiKey,
    CreditEntry,
    Packet,
    Qualification,
    QueuedNotice,
    WaitingLeaf,
    Workspace,
)
from issuer.ports import Key

_STRICT = ConfigDict(strict=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64")

T = TypeVar("T")


class Rows(Generic[T]):
    """Formats and parses the records of one type.

    pydantic gets a tuple of one: a bare dataclass takes no configuration from outside (it is looked
    for in the class, which must not know pydantic), but what contains a dataclass hands its down.
    """

    def __init__(self, record_type: type[T]) -> None:
        self._name = record_type.__name__
        row_type: Any = GenericAlias(tuple, (record_type,))
        self._adapter: TypeAdapter[tuple[T]] = TypeAdapter(row_type, config=_STRICT)

    def format(self, record: T) -> str:
        """The record as a JSON text."""
        return self._adapter.dump_json((record,), warnings="error").decode("utf-8")

    def parse(self, text: str) -> T:
        """The record that gave `text`. Raises `StoreError` if the text is damaged."""
        try:
            return self._adapter.validate_json(text)[0]
        except ValidationError as error:
            # Where and why, but not the input: it may hold personal data.
            first = error.errors(include_input=False, include_url=False, include_context=False)[0]
            where = ".".join(str(part) for part in first["loc"][1:])
            raise StoreError(f"a stored {self._name} can't be read: {where}: {first['msg']}") from None


API_KEYS = Rows(ApiKey)
CREDIT_ENTRIES = Rows(CreditEntry)
NOTICES = Rows(QueuedNotice)
PACKETS = Rows(Packet)
QUALIFICATIONS = Rows(Qualification)
WAITING_LEAVES = Rows(WaitingLeaf)
WORKSPACES = Rows(Workspace)

NUMBERS = Rows(int)
POINTERS = Rows(Key)
"""Items that only name another one: what an index is elsewhere, but never behind the record."""
