"""No changed kit is VERIFIED: every byte of every member, and ten thousand changes of structure.

A changed ZIP may be: if it holds the same members, byte for byte, it was only packed otherwise.

What is changed is made canonical again, so that the container's checksums don't hide what the
verification itself finds.
"""

import pytest

from attestlayer.errors import CouldNotCheckError, VerificationError
from attestlayer.kit.manifest import REGISTRY_RECEIPT
from attestlayer.log.leaf import parse_registry_receipt
from attestlayer.log.trust import parse_trust
from attestlayer.verify.evidence import anchors_of
from attestlayer.verify.report import Verdict
from attestlayer.verify.verifier import explain, explain_receipt, verify
from support.build import make_zip, open_zip
from support.corpus import mutants, other, other_values, pieces_moved, read_by_python, small
from support.thorough import sampled

SLICES = 16
"""Parts of the corpus, each a test of its own, so that several processes share the work."""

SLICE = pytest.mark.parametrize("part", sampled(range(SLICES), 8))


def is_verified(data: bytes) -> bool:
    """Whether `verify` takes it; anything but a declared error is a failure of the test."""
    return refusal(data) is None


def refusal(data: bytes) -> VerificationError | None:
    """What `verify` raises."""
    try:
        verify(open_zip(data), small().trust)
    except VerificationError as error:
        return error
    return None


def is_wrongly_verified(data: bytes) -> bool:
    """Whether a changed ZIP is taken for the kit though Python's own reader finds other members in it."""
    return is_verified(data) and read_by_python(data) != small().members


def test_the_kit_is_verified_as_it_is() -> None:
    assert is_verified(small().zip)


@SLICE
def test_no_changed_byte_of_the_zip_makes_another_kit(part: int) -> None:
    whole = small().zip
    passed = []
    for at in range(part, len(whole), SLICES):
        for value in other_values(whole[at], at):
            if is_wrongly_verified(whole[:at] + bytes([value]) + whole[at + 1 :]):
                passed.append((at, value))
    assert passed == []


@SLICE
def test_no_changed_byte_of_a_member_is_verified(part: int) -> None:
    passed = []
    places = [(name, at) for name, data in small().members.items() for at in range(len(data))]
    for name, at in places[part::SLICES]:
        data = small().members[name]
        for value in other_values(data[at], at):
            changed = data[:at] + bytes([value]) + data[at + 1 :]
            if is_verified(make_zip({**small().members, name: changed})):
                passed.append((name, at, value))
        if at % 10 == 0:  # explain makes every step, of which some only it reaches in a spoilt kit
            kit = open_zip(make_zip({**small().members, name: data[:at] + data[at + 1 :]}))
            assert explain(kit, small().trust).verdict != Verdict.VERIFIED
    assert passed == []


@SLICE
def test_a_zip_with_pieces_moved_is_no_other_kit(part: int) -> None:
    assert [data for data in pieces_moved(f"pieces {part}", 250) if is_wrongly_verified(data)] == []


def test_no_changed_byte_of_a_trust_root_is_usable() -> None:
    data, usable = small().trust.format(), []
    for at in range(len(data)):
        for value in other_values(data[at], at):
            try:
                parse_trust(data[:at] + bytes([value]) + data[at + 1 :])
            except CouldNotCheckError:
                continue
            usable.append((at, value))
    assert usable == []


@SLICE
def test_no_changed_byte_of_a_registry_receipt_by_itself_is_verified(part: int) -> None:
    data, passed = small().members[REGISTRY_RECEIPT], []
    for at in range(part, len(data), SLICES):
        for value in other_values(data[at], at):
            try:
                receipt = parse_registry_receipt(data[:at] + bytes([value]) + data[at + 1 :])
            except VerificationError:
                continue
            if explain_receipt(receipt, anchors_of(small().trust)).verdict == Verdict.VERIFIED:
                passed.append((at, value))
    assert passed == []


CHANGES_IN_EACH_PART = 10_000 // SLICES


@SLICE
def test_no_structural_change_is_verified(part: int) -> None:
    passed = []
    for made, mutant in enumerate(mutants(f"attestlayer {part}", CHANGES_IN_EACH_PART), 1):
        data = make_zip(mutant.members)
        error = refusal(data)
        if error is None:
            passed.append(mutant.changes)
        elif made % 10 == 0:  # explain says the same; it takes longer, for it makes every step
            report = explain(open_zip(data), small().trust)
            assert report.verdict != Verdict.VERIFIED
            assert (report.failures[0].reason, report.failures[0].files) == (error.reason, error.files)
    assert passed == []


def test_the_other_kit_is_verified_under_its_own_trust_root() -> None:
    assert verify(other().kit(), other().trust).kit_id == "kit_01J9ZX3A8B5C6D7E8F9GAHBKCN"
