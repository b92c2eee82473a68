"""Audit of one signed tree head in text form: what it says, who signed, whether witnesses make the quorum."""

from collections.abc import Iterator
from typing import NamedTuple

from attestlayer.audit.findings import Word, difference
from attestlayer.log.checkpoint import Checkpoint
from attestlayer.log.keyring import Keyring
from attestlayer.log.note import (
    ED25519,
    Note,
    VerifierKey,
    cosignature_time,
    signature_verifies,
    signatures_by,
)
from attestlayer.log.notices import Role
from attestlayer.log.promises import WITNESS_WINDOW_S

Trouble = tuple[Word, str]


class Signed(NamedTuple):
    """A note beside its checkpoint. `since`: timestamp of the first checkpoint of the same tree."""

    note: Note
    checkpoint: Checkpoint
    since: int


def check_note(signed: Signed, keyring: Keyring) -> Iterator[Trouble]:
    """What is wrong with a note (section 9): every key valid at the time signed it, no known line fails."""
    note, checkpoint = signed.note, signed.checkpoint
    if note.text != checkpoint.note_text():
        parted = difference(note.text.encode(), checkpoint.note_text().encode())
        yield Word.BYTES_DIFFER, f"the text is not its checkpoint's: {parted}"
    for key in keyring.keys_at(Role.REGISTRY, checkpoint.timestamp):
        if not signatures_by(note, VerifierKey(keyring.origin, ED25519, key.public)):
            yield Word.SIGNATURE_INVALID, f"no line of registry key {key.public.kid}, which was valid then"
    known = [VerifierKey(keyring.origin, ED25519, k.public) for k in keyring.keys.values() if _is_registry(k)]
    for named in (*known, *keyring.witnesses()):
        for line in signatures_by(note, named):
            if not signature_verifies(note.text, line, named):
                yield (
                    Word.SIGNATURE_INVALID,
                    f"the line of {named.name} with {line.data.hex()} does not verify",
                )
    yield from _check_quorum(signed, keyring)


def _is_registry(key: object) -> bool:
    return getattr(key, "role", None) == Role.REGISTRY


def _check_quorum(signed: Signed, keyring: Keyring) -> Iterator[Trouble]:
    note, timestamp = signed.note, signed.checkpoint.timestamp
    policy = keyring.witness_policy_at(timestamp)
    cosigners = {
        name
        for name, witness in policy.witnesses.items()
        for line in signatures_by(note, witness)
        # Of an unchanged tree, cosignatures are carried from the round that made it (section 11, step 5).
        if signed.since - WITNESS_WINDOW_S <= (cosignature_time(line) or 0) <= timestamp + WITNESS_WINDOW_S
        and signature_verifies(note.text, line, witness)
    }
    if not policy.is_met(cosigners):
        found = ", ".join(sorted(cosigners)) or "no witness"
        yield Word.QUORUM_NOT_MET, f"found {found}, wanted quorum {policy.quorum}"
