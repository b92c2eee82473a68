"""An audit's findings, the examiner that reads objects and records them, and the check of a signed note."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from attestlayer.encoding import Hash, format_hash, sha256
from attestlayer.log.checkpoint import Checkpoint
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
from attestlayer.log.trust import Keyring
from attestlayer.reading.read_ahead import ReadAhead
from attestlayer.reading.registry import Registry


class Word(StrEnum):
    """Why an object is not what the log says: a closed list."""

    MISSING = "missing"
    MALFORMED = "malformed"
    BYTES_DIFFER = "bytes-differ"
    HASH_MISMATCH = "hash-mismatch"
    ENTRY_MISMATCH = "entry-mismatch"
    ENTRY_REPEATED = "entry-repeated"
    ROOT_MISMATCH = "root-mismatch"
    TREE_UNREADABLE = "tree-unreadable"
    CHAIN_BROKEN = "chain-broken"
    ORDER_WRONG = "order-wrong"
    ORIGIN_MISMATCH = "origin-mismatch"
    KEY_NOT_VALID = "key-not-valid"
    SIGNATURE_INVALID = "signature-invalid"
    QUORUM_NOT_MET = "quorum-not-met"
    NOTICES_REWRITTEN = "notices-rewritten"
    NOTICES_CONTRADICT = "notices-contradict"
    POLICY_MISMATCH = "policy-mismatch"
    PROOF_INVALID = "proof-invalid"
    RECEIPT_MISMATCH = "receipt-mismatch"
    TIME_WRONG = "time-wrong"
    LATE_MERGE = "late-merge"
    TRUST_CONFLICT = "trust-conflict"
    VIEW_OUTDATED = "view-outdated"
    STRAY = "stray"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: the object's name, the word, what was found and what was wanted."""

    object: str
    reason: Word
    detail: str


Progress = Callable[[str, int, int], None]
"""(what, done, of how many)."""


@dataclass
class Examiner:
    """Reads objects; findings and counts gather here. O(findings) memory."""

    registry: Registry
    progress: Progress
    findings: list[Finding] = field(default_factory=list)
    objects: int = 0
    length: int = 0

    @property
    def ahead(self) -> ReadAhead | None:
        """The registry, if it likes to know what will be read."""
        return self.registry if isinstance(self.registry, ReadAhead) else None

    def find(self, name: str, reason: Word, detail: object) -> None:
        """Note a finding; the same one twice is one."""
        finding = Finding(name, reason, str(detail))
        if not self.findings or self.findings[-1] != finding:
            self.findings.append(finding)

    def read(self, name: str) -> bytes | None:
        """An object that need not be there."""
        data = self.registry.read(name)
        self.objects += 1
        self.length += len(data or b"")
        return data

    def need(self, name: str) -> bytes | None:
        """An object that must be there."""
        data = self.read(name)
        if data is None:
            self.find(name, Word.MISSING, "found no object, wanted one")
        return data

    def need_hashed(self, name: str, wanted: Hash) -> bytes | None:
        """An object that must be there and have the hash of its name; None if it has not."""
        data = self.need(name)
        if data is not None and sha256(data) != wanted:
            found = format_hash(sha256(data))
            self.find(
                name,
                Word.HASH_MISMATCH,
                f"its {len(data)} bytes hash to {found}, wanted {format_hash(wanted)}",
            )
            return None
        return data

    def compare(self, name: str, wanted: bytes, *, needed: bool = True) -> bytes | None:
        """An object that must be exactly `wanted`, if it is there at all or `needed`; what was found."""
        data = self.need(name) if needed else self.read(name)
        if data is not None and data != wanted:
            self.find(name, Word.BYTES_DIFFER, difference(data, wanted))
        return data


def difference(found: bytes, wanted: bytes) -> str:
    """Where two byte strings part: offset, a few bytes of both, lengths."""
    at = next(
        (i for i, (one, other) in enumerate(zip(found, wanted, strict=False)) if one != other),
        min(len(found), len(wanted)),
    )
    parts = (found[at : at + 16].hex() or "the end", wanted[at : at + 16].hex() or "the end")
    return f"byte {at}: found {parts[0]}, wanted {parts[1]}; found {len(found)} bytes, wanted {len(wanted)}"


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
