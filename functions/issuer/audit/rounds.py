"""Audit of signed rounds: each equals its public checkpoint, names the previous one, is validly signed."""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field

from attestlayer.audit.findings import check_note
from attestlayer.canonical import format_json, parse_json
from attestlayer.encoding import Hash, format_hash, format_time
from attestlayer.errors import VerificationError
from attestlayer.log import layout
from attestlayer.log.checkpoint import Checkpoint, parse_checkpoint, take_checkpoint
from attestlayer.log.merkle import TreeHead
from attestlayer.log.notices import Role
from attestlayer.log.trust import Keyring
from issuer.audit.findings import Inspection, PrivateReason
from issuer.audit.head import Moment
from issuer.errors import LogHaltedError
from issuer.log.state import HEAD, SignedRound, parse_signed, signed_name
from issuer.ports import ObjectStore


@dataclass
class RoundHistory:
    """Time and tree size of every round, by sequence: 16 bytes each. `whole`: no round is missing."""

    times: "array[int]" = field(default_factory=lambda: array("q"))
    sizes: "array[int]" = field(default_factory=lambda: array("q"))
    whole: bool = True

    def add(self, checkpoint: Checkpoint) -> None:
        """Append the next round's time and size."""
        self.times.append(checkpoint.timestamp)
        self.sizes.append(checkpoint.head.size)


@dataclass
class RoundsAudit:
    """Checks `signed/0` and all that follow, in order, and compares each with its public checkpoint."""

    inspection: Inspection
    moment: Moment
    keyring: Keyring
    history: RoundHistory = field(default_factory=RoundHistory)
    _before: Checkpoint | None = None
    _tree: TreeHead | None = None
    _since: int = 0

    def run(self) -> RoundHistory:
        """Check every round.

        Returns their history, from the public checkpoint where the signed round is damaged.
        """
        published = _published(self.inspection.public, self.moment.latest)
        for sequence in range(self.moment.last + 1):
            if sequence % 64 == 0:
                self.inspection.progress("signed rounds", sequence, self.moment.last)
            public = next(published, None)
            signed = self._read(sequence)
            if signed:
                self._check(sequence, signed, public)
            known = signed.checkpoint if signed else public
            if known is None or known.sequence != sequence:
                self.history.whole = False
                known = None
            else:
                self.history.add(known)
            self._before = known
        return self.history

    def _read(self, sequence: int) -> SignedRound | None:
        """The signed round. None if it is not due yet, or with a finding if it is missing or damaged."""
        name = signed_name(sequence)
        if sequence > self.moment.latest.sequence and not self.inspection.private.exists(name):
            return None  # committed but not signed yet
        data = self.inspection.need(name)
        if data is None:
            return None
        try:
            signed = parse_signed(data, name)
        except LogHaltedError as error:
            self.inspection.find(name, PrivateReason.MALFORMED, error)
            return None
        # Parsed and formatted again it must be the same bytes: a document has one spelling (REG-1.0 section
        # 2.4).
        self.inspection.compare(name, data, signed.format())
        return signed

    def _check(self, sequence: int, signed: SignedRound, public: Checkpoint | None) -> None:
        name, checkpoint = signed_name(sequence), signed.checkpoint
        if sequence > self.moment.latest.sequence:
            self._check_open(name, checkpoint)
        elif public is not None:
            self.inspection.compare(name, checkpoint.format(), public.format(), PrivateReason.PUBLIC_DIFFERS)
        # REG-1.0 section 11, rule 1.
        if self._before and checkpoint.prev_checkpoint_hash != self._before.hash():
            found = format_hash(checkpoint.prev_checkpoint_hash or b"")
            wanted = format_hash(self._before.hash())
            self.inspection.find(
                name, PrivateReason.CHAIN_BROKEN, f"it follows {found or 'none'}, wanted {wanted}"
            )
        self._check_signatures(name, signed)
        if sequence == self.moment.latest.sequence and not self.moment.is_open:
            self._check_text(name, signed)  # of an open round `/checkpoint` may be public already

    def _check_open(self, name: str, checkpoint: Checkpoint) -> None:
        """A signed round that is not public yet must be the one that head names."""
        head = self.moment.head
        found = (
            checkpoint.sequence,
            checkpoint.head,
            checkpoint.notices_hash,
            checkpoint.prev_checkpoint_hash,
        )
        if head and found != (head.sequence, head.tree, head.notices_hash, head.previous):
            self.inspection.find(
                name, PrivateReason.HEAD_MISMATCH, f"it is not of the round that {HEAD} names"
            )

    def _check_signatures(self, name: str, signed: SignedRound) -> None:
        checkpoint, at = signed.checkpoint, signed.checkpoint.timestamp
        # The first key that counts at that time signs JSON checkpoints (REG-1.0 section 9.4).
        keys = [key.public.kid for key in self.keyring.keys_at(Role.REGISTRY, at)][:1]
        if keys != [checkpoint.kid]:
            detail = f"at {format_time(at)} found key {checkpoint.kid}, wanted {''.join(keys) or 'none'}"
            self.inspection.find(name, PrivateReason.KEY_NOT_VALID, detail)
        key = self.keyring.key(Role.REGISTRY, checkpoint.kid)
        if key and not key.public.verifies(checkpoint.signature, checkpoint.signed_bytes()):
            detail = f"{checkpoint.signature.hex()} is not key {checkpoint.kid}'s"
            self.inspection.find(name, PrivateReason.SIGNATURE_INVALID, detail)
        # Cosignatures are carried while the tree does not change (REG-1.0 section 11, rule 9): they may be as
        # old as its first checkpoint.
        if checkpoint.head != self._tree:
            self._tree, self._since = checkpoint.head, at
        for word, detail in check_note(signed.note, checkpoint, self.keyring, since=self._since):
            self.inspection.find(name, PrivateReason(word.value), f"note: {detail}")

    def _check_text(self, name: str, signed: SignedRound) -> None:
        """The newest signed note equals the public `/checkpoint`, lines and order included."""
        public = self.inspection.public.read(layout.CHECKPOINT)
        if public is not None:
            self.inspection.compare(name, signed.note.format().encode(), public, PrivateReason.PUBLIC_DIFFERS)


def _published(public: ObjectStore, latest: Checkpoint) -> Iterator[Checkpoint | None]:
    """The public checkpoints from sequence 0 on: bundles, then the single objects after the last bundle.

    None in place of one that can't be read, which the core's audit reports. Memory: up to 256 checkpoints.
    """
    bundled = (latest.sequence + 1) // layout.BUNDLED
    for number in range(bundled):
        yield from _bundle(public.read(layout.checkpoint_bundle_path(number)))
    # Objects are named by their hashes, which only the next checkpoint knows: walk back from the newest one.
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
    """The 256 checkpoints of a bundle, or 256 times None if it is missing or damaged."""
    try:
        items = parse_json(data or b"")
        checkpoints = [take_checkpoint(item) for item in items] if isinstance(items, list) else []
    except (ValueError, VerificationError):
        checkpoints = []
    whole = len(checkpoints) == layout.BUNDLED
    whole = whole and format_json([each.members() for each in checkpoints]) == data
    return [*checkpoints] if whole else [None] * layout.BUNDLED


def _object(public: ObjectStore, wanted: Hash) -> Checkpoint | None:
    data = public.read(layout.checkpoint_path(wanted))
    try:
        checkpoint = parse_checkpoint(data) if data is not None else None
    except VerificationError:
        return None
    return checkpoint if checkpoint and checkpoint.hash() == wanted else None
