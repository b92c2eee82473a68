"""Records come back from their rows exactly, or not at all."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.records import packet, sealed, workspace
from issuer.errors import StoreError
from issuer.ledger.books import BOOKS, Books
from issuer.ledger.claims import CLAIMS, StoredClaim
from issuer.ledger.rows import (
    API_KEYS,
    CREDIT_ENTRIES,
    NOTICES,
    NUMBERS,
    PACKETS,
    POINTERS,
    QUALIFICATIONS,
    WAITING_LEAVES,
    WORKSPACES,
    Rows,
)
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

# Any Unicode that has an encoding; integers beyond a float's range as well.
st.register_type_strategy(str, st.text(st.characters(exclude_categories=["Cs"])))
st.register_type_strategy(int, st.integers(-(2**70), 2**70))

RECORDS = [
    (API_KEYS, ApiKey),
    (BOOKS, Books),
    (CLAIMS, StoredClaim),
    (CREDIT_ENTRIES, CreditEntry),
    (NOTICES, QueuedNotice),
    (NUMBERS, int),
    (PACKETS, Packet),
    (POINTERS, Key),
    (QUALIFICATIONS, Qualification),
    (WAITING_LEAVES, WaitingLeaf),
    (WORKSPACES, Workspace),
]


@pytest.mark.parametrize(("rows", "record_type"), RECORDS, ids=[each.__name__ for _, each in RECORDS])
def test_a_record_comes_back_as_it_was(rows: Rows[object], record_type: type[object]) -> None:
    @given(st.from_type(record_type))
    def check(record: object) -> None:
        assert rows.parse(rows.format(record)) == record
        assert repr(rows.parse(rows.format(record))) == repr(record), "types too: tuples, enums, bytes"

    check()


GOOD = PACKETS.format(sealed(packet(1), 1))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"version":2', '"version":"2"'),
        ('"version":2', '"version":2.0'),
        ('"version":2', '"version":true'),
        ('"version":2', '"version":null'),
        ('"version":2', '"version":2,"colour":"red"'),
        ('"version":2,', ""),
        ('"state":"sealed"', '"state":"lost"'),
        ('"records":[]', '"records":{}'),
        ('"receipt":"e30="', '"receipt":"{}"'),
        ('"kit_id":"kit_1"', '"kit_id":1'),
        ("}]", "}"),
    ],
)
def test_a_row_that_was_not_written_so_is_refused(before: str, after: str) -> None:
    assert GOOD.count(before) == 1
    with pytest.raises(StoreError, match="a stored Packet can't be read"):
        PACKETS.parse(GOOD.replace(before, after))


def test_a_member_with_a_default_may_be_missing_from_an_older_row() -> None:
    text = WORKSPACES.format(workspace())
    assert text.count(',"version":1') == 1
    assert WORKSPACES.parse(text.replace(',"version":1', "")) == workspace()


def test_bytes_are_base64() -> None:
    data = b"\xff\xfe\x00any"
    assert base64.urlsafe_b64encode(data).decode() in NOTICES.format(QueuedNotice("type", data))


def test_a_record_of_wrong_types_is_not_written() -> None:
    with pytest.raises(ValueError, match="Expected `int`"):
        NUMBERS.format("200")  # type: ignore[arg-type]
