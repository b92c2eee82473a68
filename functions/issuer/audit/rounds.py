"""Audit of signed rounds: each is there, is exactly the public checkpoint, is chained and rightly signed."""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field

from attestlayer.audit.findings import Signed, check_note
from attestlayer.canonical import format_json, parse_json
from attestlayer.encoding import Hash, format_hash, format_time
from attestlayer.errors import VerificationError
from attestlayer.log import layout
from attestlayer.log.checkpoint import Checkpoint, parse_checkpoint, take_checkpoint
from attestlayer.log.merkle import TreeHead
from attestlayer.log.notices import Role
from attestlayer.log.trust import Keyring
from issuer.audit.findings import Examiner, PrivateReason
from issuer.audit.head import Moment
from issuer.errors import LogHaltedError
from issuer.log.state import HEAD, SignedRound, parse_signed, signed_name
from issuer.ports import ObjectStore


@dataclass
class Chain:
    """Times and sizes of all rounds, by sequence: 16 bytes each. `whole`: none had to be left out."""

    times: "array[int]" = field(default_factory=lambda: array("q"))
    sizes: "array[int]" = field(default_factory=lambda: array("q"))
    whole: bool = True

    def add(self, checkpoint: Checkpoint) -> None:
        """The next one."""
        self.times.append(checkpoint.timestamp)
        self.sizes.append(checkpoint.head.size)


@dataclass
class RoundsAudit:
    """Looks at `signed/0` and all that follow."""

    examiner: Examiner
    moment: Moment
    keyring: Keyring
    chain: Chain = field(default_factory=Chain)
    _before: Checkpoint | None = None
    _tree: TreeHead | None = None
    _since: int = 0

    def run(self) -> Chain:
        """Check each; the chain of what was signed."""
        published = _published(self.examiner.public, self.moment.latest)
        for sequence in range(self.moment.last + 1):
            if sequence % 64 == 0:
                self.examiner.progress("signed rounds", sequence, self.moment.last)
            public = next(published, None)
            signed = self._read(sequence)
            if signed:
                self._check(sequence, signed, public)
            known = signed.checkpoint if signed else public
            if known is None or known.sequence != sequence:
                self.chain.whole = False
                known = None
            else:
                self.chain.add(known)
            self._before = known
        return self.chain

    def _read(self, sequence: int) -> SignedRound | None:
        name = signed_name(sequence)
        if sequence > self.moment.latest.sequence and not self.examiner.private.exists(name):
            return None  # committed and not signed yet
        data = self.examiner.need(name)
        if data is None:
            return None
        try:
            signed = parse_signed(data, name)
        except LogHaltedError as error:
            self.examiner.find(name, PrivateReason.MALFORMED, error)
            return None
        self.examiner.compare(name, data, signed.format())
        return signed

    def _check(self, sequence: int, signed: SignedRound, public: Checkpoint | None) -> None:
        name, checkpoint = signed_name(sequence), signed.checkpoint
        if sequence > self.moment.latest.sequence:
            self._check_open(name, checkpoint)
        elif public is not None:
            self.examiner.compare(name, checkpoint.format(), public.format(), PrivateReason.PUBLIC_DIFFERS)
        if self._before and checkpoint.prev_checkpoint_hash != self._before.hash():
            found = format_hash(checkpoint.prev_checkpoint_hash or b"")
            wanted = format_hash(self._before.hash())
            self.examiner.find(
                name, PrivateReason.CHAIN_BROKEN, f"it follows {found or 'none'}, wanted {wanted}"
            )
        self._check_signatures(name, signed)
        if sequence == self.moment.latest.sequence and not self.moment.is_open:
            self._check_text(name, signed)  # an open round may have replaced it already

    def _check_open(self, name: str, checkpoint: Checkpoint) -> None:
        """What is signed and not public yet is head's round."""
        head = self.moment.head
        found = (
            checkpoint.sequence,
            checkpoint.head,
            checkpoint.notices_hash,
            checkpoint.prev_checkpoint_hash,
        )
        if head and found != (head.sequence, head.tree, head.notices_hash, head.previous):
            self.examiner.find(name, PrivateReason.HEAD_MISMATCH, f"it is not of the round that {HEAD} names")

    def _check_signatures(self, name: str, signed: SignedRound) -> None:
        checkpoint, at = signed.checkpoint, signed.checkpoint.timestamp
        keys = [key.public.kid for key in self.keyring.keys_at(Role.REGISTRY, at)][:1]
        if keys != [checkpoint.kid]:
            detail = f"at {format_time(at)} found key {checkpoint.kid}, wanted {''.join(keys) or 'none'}"
            self.examiner.find(name, PrivateReason.KEY_NOT_VALID, detail)
        key = self.keyring.key(Role.REGISTRY, checkpoint.kid)
        if key and not key.public.verifies(checkpoint.signature, checkpoint.signed_bytes()):
            detail = f"{checkpoint.signature.hex()} is not key {checkpoint.kid}'s"
            self.examiner.find(name, PrivateReason.SIGNATURE_INVALID, detail)
        if checkpoint.head != self._tree:
            self._tree, self._since = checkpoint.head, at
        for word, detail in check_note(Signed(signed.note, checkpoint, self._since), self.keyring):
            self.examiner.find(name, PrivateReason(word.value), f"note: {detail}")

    def _check_text(self, name: str, signed: SignedRound) -> None:
        """The newest note is the public one, with all its lines."""
        public = self.examiner.public.read(layout.CHECKPOINT)
        if public is not None:
            self.examiner.compare(name, signed.note.format().encode(), public, PrivateReason.PUBLIC_DIFFERS)


def _published(public: ObjectStore, latest: Checkpoint) -> Iterator[Checkpoint | None]:
    """The public checkpoints from sequence 0 on: bundles, then the objects of those not bundled yet.

    None where one can't be read: the registry's audit says why.
    """
    bundled = (latest.sequence + 1) // layout.BUNDLED
    for number in range(bundled):
        yield from _bundle(public.read(layout.checkpoint_bundle_path(number)))
    rest, current = [latest], latest
    while current.sequence > bundled * layout.BUNDLED and current.prev_checkpoint_hash:
        earlier = _object(public, current.prev_checkpoint_hash)
        if earlier is None:
            break
        rest.append(current := earlier)
    missing = latest.sequence + 1 - bundled * layout.BUNDLED - len(rest)
    yield from (None for _ in range(missing))
    yield from reversed(rest)


def _bundle(data: bytes | None) -> list[Checkpoint | None]:
    try:
        items = parse_json(data or b"")
        found = [take_checkpoint(item) for item in items] if isinstance(items, list) else []
    except (ValueError, VerificationError):
        found = []
    whole = len(found) == layout.BUNDLED and format_json([each.members() for each in found]) == data
    return [*found] if whole else [None] * layout.BUNDLED


def _object(public: ObjectStore, wanted: Hash) -> Checkpoint | None:
    data = public.read(layout.checkpoint_path(wanted))
    try:
        found = parse_checkpoint(data) if data is not None else None
    except VerificationError:
        return None
    return found if found and found.hash() == wanted else None
