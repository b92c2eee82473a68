"""What the audit compares unparsed is what the formatters make, and nothing that the parsers refuse."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestlayer.audit.forms import ReceiptForm, entry_of, read_entry
from attestlayer.encoding import Hash
from attestlayer.errors import FormatError
from attestlayer.log.checkpoint import Checkpoint
from attestlayer.log.leaf import LeafRecord, RegistryReceipt, parse_entry
from attestlayer.log.merkle import Edge, TreeHead, leaf_hash, prove_inclusion
from attestlayer.log.note import ED25519, Note, VerifierKey
from attestlayer.log.tiles import Tile, hash_reader
from support.log import ORIGIN, REGISTRY, START, leaf_number
from support.notes import sign_note

ENTRY = leaf_number(7).entry()


def test_an_entry_yields_what_its_leaf_says_and_its_record() -> None:
    for number in range(50):
        leaf = leaf_number(number, START + number)
        found = read_entry(leaf.entry(), leaf.hash())
        assert found == entry_of(leaf.record())
        assert found.record == leaf.record().format()


@given(
    at=st.integers(0, len(ENTRY) - 1),
    cut=st.integers(0, 3),
    put=st.binary(max_size=3)
    | st.sampled_from([b"\\u0041", b"\n", b'"', b"A", b"=", b"-", b"_", b"\xc3\xa9"]),
)
def test_no_entry_is_taken_that_the_parser_refuses(at: int, cut: int, put: bytes) -> None:
    data = ENTRY[:at] + put + ENTRY[at + cut :]
    try:
        wanted = entry_of(LeafRecord(parse_entry(data), leaf_hash(data)))
    except FormatError as error:
        with pytest.raises(FormatError) as refused:
            read_entry(data, leaf_hash(data))
        assert str(refused.value) == str(error)
        return
    assert read_entry(data, leaf_hash(data)) == wanted


@pytest.mark.parametrize(
    ("was", "put"),
    [
        (b"2027-01-15T", b"2027-02-30T"),  # no such day
        (b'"PASS"', b'"FAIL"'),
        (b'"PAY-01"', b'"PAY-1"'),
        (b'"wire-transfer"', b'"-wire"'),
        (b'"statement_hash"', b'"statement_hush"'),
        (b'{"client', b'{ "client'),
    ],
)
def test_an_entry_of_the_right_shape_with_a_wrong_value_is_refused(was: bytes, put: bytes) -> None:
    assert was in ENTRY
    data = ENTRY.replace(was, put)
    with pytest.raises(FormatError):
        read_entry(data, leaf_hash(data))


def receipts(size: int, first: int) -> tuple[list[Hash], list[RegistryReceipt]]:
    """A tree's leaf hashes, and the receipts of one round that brought in all from `first` on."""
    leaves = [leaf_number(number) for number in range(size)]
    hashes, edge = [leaf.hash() for leaf in leaves], Edge()
    for value in hashes:
        edge.append(value)

    def tile(tile: Tile) -> list[Hash]:
        width = 256**tile.level
        roots = [Edge() for _ in range(tile.width)]
        for number, root in enumerate(roots):
            at = (tile.index * 256 + number) * width
            for value in hashes[at : at + width]:
                root.append(value)
        return [root.head().root for root in roots]

    head = TreeHead(size, edge.head().root)
    checkpoint = Checkpoint(ORIGIN, 3, head, START, hashes[0], hashes[0], REGISTRY.public.kid, bytes(64))
    key = VerifierKey(ORIGIN, ED25519, REGISTRY.public)
    note = Note(checkpoint.note_text(), (sign_note(checkpoint.note_text(), key, REGISTRY.private),))
    read = hash_reader(size, tile)
    made = [
        RegistryReceipt(leaf.record(), index, prove_inclusion(index, size, read), checkpoint, note)
        for index, leaf in enumerate(leaves)
    ]
    return hashes, made[first:]


SHAPES = [(1, 0), (2, 0), (255, 0), (256, 0), (300, 256), (300, 0), (517, 200)]


@pytest.mark.parametrize(("size", "first"), SHAPES)
def test_the_receipts_of_a_tile_follow_from_one_of_them(size: int, first: int) -> None:
    hashes, made = receipts(size, first)
    for start in range(0, size, 256):
        here = [receipt for receipt in made if start <= receipt.leaf_index < start + 256]
        for sound in here[:: max(1, len(here) // 3)]:
            form = ReceiptForm(sound, start, hashes[start : start + 256])
            for receipt in here:
                assert form.receipt(receipt.leaf_index, receipt.record.format()) == receipt.format()


def test_a_receipt_whose_path_is_not_the_tiles_gives_no_form() -> None:
    hashes, made = receipts(300, 0)
    path = made[9].audit_path
    for wrong in ((*path[1:], path[0]), path[1:], (hashes[0], *path[1:])):
        with pytest.raises(ValueError, match="not this tile's"):
            ReceiptForm(replace(made[9], audit_path=wrong), 0, hashes[:256])
