"""The lines that a note gets from witnesses: cosignatures that count, and lines of other types.

A line of another type (ML-DSA's 0x06 among them) is carried along. To verifiers it is nobody's: it counts for
nothing and is not checked. So it must not be mistaken for one that is checked: see `other_lines`.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from attestlayer.keys import SIGNATURE_LENGTH
from attestlayer.log.note import (
    MAX_SIGNATURES,
    Note,
    Signature,
    WitnessPolicy,
    signature_verifies,
    signatures_by,
)

MAX_OTHERS = 2
"""Lines of other types that one answer may add (REG-1.0 section 9.2)."""

MAX_OTHER_LENGTH = 4096
"""Bytes of such a line, with its newline: an ML-DSA-44 cosignature takes 3.3 KB."""

# Data of a type 0x01 line and of a type 0x04 line. A line does not state its type: one as long as these could
# be by a key that a later policy names, and then it would have to verify.
_CHECKED_LENGTHS = frozenset({SIGNATURE_LENGTH, 8 + SIGNATURE_LENGTH})


def verified_lines(note: Note, policy: WitnessPolicy) -> dict[str, Signature]:
    """By the witness's name, a line that verifies, for each of the policy's witnesses that has one."""
    return {
        name: line
        for name, witness in policy.witnesses.items()
        for line in signatures_by(note, witness)
        if signature_verifies(note.text, line, witness)
    }


def other_lines(
    note: Note, answers: Mapping[str, Sequence[Signature]], policy: WitnessPolicy
) -> tuple[Signature, ...]:
    """The lines to carry along, of each answer the first `MAX_OTHERS`. `note` has the log's own lines.

    They are under the witness's own key name, not of type 0x01 or 0x04, of no known key's id, and up to
    `MAX_OTHER_LENGTH`.
    """
    names = {name: witness.name for name, witness in policy.witnesses.items()} | policy.uncounted
    known = _known_ids(note, policy)
    lines: list[Signature] = []
    for name, answer in answers.items():
        named = (line for line in answer if line.name == names.get(name))
        lines += list(_carriable(named, known))[:MAX_OTHERS]
    return tuple(dict.fromkeys(lines))


def carried_lines(note: Note, before: Note, policy: WitnessPolicy) -> tuple[Signature, ...]:
    """The witness lines of `before`, the previous note of the same text; none unless they meet the policy.

    `note` has the log's own lines.
    """
    lines = verified_lines(before, policy)
    if not policy.is_met(lines.keys()):
        return ()
    names = {*(witness.name for witness in policy.witnesses.values()), *policy.uncounted.values()}
    # No more than each answer may add were let in when they came: only their kind is looked at again.
    named = (line for line in before.signatures if line.name in names)
    others = _carriable(named, _known_ids(note, policy))
    return (*lines.values(), *others)[: MAX_SIGNATURES - len(note.signatures)]


def _known_ids(note: Note, policy: WitnessPolicy) -> set[bytes]:
    own = {line.key_id for line in note.signatures}
    return own | {witness.key_id for witness in policy.witnesses.values()}


def _carriable(lines: Iterable[Signature], known: Collection[bytes]) -> Iterator[Signature]:
    return (
        line
        for line in lines
        if len(line.data) not in _CHECKED_LENGTHS
        and line.key_id not in known
        and len(line.format().encode()) <= MAX_OTHER_LENGTH
    )
