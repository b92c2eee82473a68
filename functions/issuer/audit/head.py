"""Audit of head: compared with the public face, its batch, and the tree that the batch continues."""

from dataclasses import dataclass

from attestlayer.encoding import format_hash, format_time
from attestlayer.errors import VerificationError
from attestlayer.log import layout
from attestlayer.log.checkpoint import Checkpoint
from attestlayer.log.notices import parse_notices
from attestlayer.log.tiles import WIDTH, parse_bundle, tile_at
from issuer.audit.findings import Inspection, PrivateReason
from issuer.errors import LogHaltedError
from issuer.log import face
from issuer.log.publication import Growth
from issuer.log.state import HEAD, Batch, Head, parse_batch, parse_head

_TRIES = 4
"""Reads of head and face. A round changes each of them once a cadence, so two nearly always suffice."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Head and newest public checkpoint of one moment. `head`: None if it is missing or damaged."""

    head: Head | None
    latest: Checkpoint

    @property
    def last(self) -> int:
        """The sequence of the newest committed round, public or not."""
        return max(self.latest.sequence, self.head.sequence if self.head else -1)

    @property
    def is_open(self) -> bool:
        """Whether head's round is committed but not public yet."""
        return self.head is not None and self.head.sequence == self.latest.sequence + 1


def read_moment(inspection: Inspection) -> Moment:
    """Read head and face as of one moment, in up to four tries.

    Raises `LogHaltedError` without a readable face.
    """
    for _ in range(_TRIES):
        data = inspection.private.read(HEAD)
        latest = face.read_latest(inspection.public)
        # Unchanged head before and after: no round was committed in between.
        if inspection.private.read(HEAD) == data:
            break
    if latest is None:
        raise LogHaltedError("the registry has no checkpoint: `issuer init` starts a log")
    inspection.count(len(data or b""))
    if data is None:
        inspection.find(
            HEAD, PrivateReason.MISSING, f"found no head beside public checkpoint {latest.sequence}"
        )
        return Moment(None, latest)
    try:
        return Moment(parse_head(data), latest)
    except LogHaltedError as error:
        inspection.find(HEAD, PrivateReason.MALFORMED, error)
        return Moment(None, latest)


@dataclass(frozen=True)
class HeadAudit:
    """Checks head and the objects that it names."""

    inspection: Inspection
    moment: Moment

    def run(self) -> None:
        """Check head if it could be read; `read_moment` has reported it otherwise."""
        head = self.moment.head
        if head is None:
            return
        wanted = self.inspection.ports.log.origin
        if head.origin != wanted:
            self.inspection.find(HEAD, PrivateReason.ORIGIN_MISMATCH, f"found {head.origin}, wanted {wanted}")
        if self._check_face(head) and (batch := self._read_batch(head)):
            self._check_batch(head, batch)

    def _check_face(self, head: Head) -> bool:
        """Compare with the public face.

        False, with a finding, unless head's round is the newest one or the next.
        """
        latest, find = self.moment.latest, self.inspection.find
        places = f"head is at {head.sequence}, the public checkpoint at {latest.sequence}"
        if latest.sequence > head.sequence:
            find(
                HEAD,
                PrivateReason.FACE_AHEAD,
                f"{places}: head came from a backup, or two logs share one registry",
            )
            return False
        if latest.sequence < head.sequence - 1:
            find(HEAD, PrivateReason.FACE_BEHIND, f"{places}: the registry came from a backup")
            return False
        if self.moment.is_open:
            find(HEAD, PrivateReason.ROUND_OPEN, f"{places}: the next round finishes it")
            self._expect("prev_checkpoint_hash", head.previous, latest.hash())
        else:
            self._expect("tree_size", head.tree.size, latest.head.size)
            self._expect("root_hash", head.tree.root, latest.head.root)
            self._expect("notices_hash", head.notices_hash, latest.notices_hash)
            self._expect("prev_checkpoint_hash", head.previous, latest.prev_checkpoint_hash)
        return True

    def _read_batch(self, head: Head) -> Batch | None:
        """Head's batch. None, with a finding, if it is missing or damaged."""
        if head.batch is None:
            return self._empty_batch(head)
        data = self.inspection.need(head.batch)
        if data is None:
            return None
        try:
            return parse_batch(data, head.batch)
        except LogHaltedError as error:
            self.inspection.find(head.batch, PrivateReason.MALFORMED, error)
            return None

    def _empty_batch(self, head: Head) -> Batch | None:
        """The batch of a round without leaves or notices, which is not stored but follows from head."""
        data = self.inspection.public.read(layout.notices_path(head.notices_hash))
        try:
            notices = parse_notices(data or b"")
        except VerificationError:  # the core's audit reports it
            return None
        return Batch(head.sequence, head.batch_time, head.tree, (), notices, notices_changed=False)

    def _check_batch(self, head: Head, batch: Batch) -> None:
        self._expect("batch's sequence", head.sequence, batch.sequence)
        self._expect("batch_time", head.batch_time, batch.time)
        self._expect("batch's notices", head.notices_hash, batch.notices.hash())
        self._expect("batch's tree size", head.tree.size, batch.size)
        self._expect("oldest_issued_at", head.oldest, batch.oldest)
        if head.sequence:
            self._check_before(head, batch)
        if self.moment.is_open:
            self._check_growth(head, batch)
        else:
            self._check_published(batch)

    def _check_before(self, head: Head, batch: Batch) -> None:
        """The batch continues the previous round: its tree, its notices unless changed, a later time."""
        try:
            signed = self.inspection.ports.log.read_signed(head.sequence - 1)
        except LogHaltedError:  # damaged: `RoundsAudit` reports it
            return
        if signed is None:
            return
        last, before, name = signed.checkpoint, batch.before, head.batch or HEAD
        if last.head != before:
            detail = (
                f"it continues size {before.size}, root {format_hash(before.root)}; round "
                f"{last.sequence} has size {last.head.size}, root {format_hash(last.head.root)}"
            )
            self.inspection.find(name, PrivateReason.CHAIN_BROKEN, detail)
        if not batch.notices_changed and head.notices_hash != last.notices_hash:
            detail = f"it says that its notices are those of round {last.sequence}, which has others"
            self.inspection.find(name, PrivateReason.CHAIN_BROKEN, detail)
        # The checkpoint may be later than its batch, never earlier; of an open round it is not known yet.
        until = head.batch_time if self.moment.is_open else self.moment.latest.timestamp
        if not last.timestamp < head.batch_time <= until:
            found, wanted = format_time(head.batch_time), format_time(last.timestamp)
            detail = f"batch_time: head says {found}, wanted one after {wanted} up to {format_time(until)}"
            self.inspection.find(HEAD, PrivateReason.HEAD_MISMATCH, detail)

    def _check_growth(self, head: Head, batch: Batch) -> None:
        """The public tree with the batch has head's root, computed the way that publishing will."""
        try:
            tree = Growth(face.read_edge(self.inspection.public, batch.before), batch).head()
        except LogHaltedError as error:
            self.inspection.find(head.batch or HEAD, PrivateReason.ROOT_MISMATCH, error)
            return
        if tree != head.tree:
            wanted = format_hash(head.tree.root)
            detail = f"with its batch the tree's root is {format_hash(tree.root)}, head's is {wanted}"
            self.inspection.find(head.batch or HEAD, PrivateReason.ROOT_MISMATCH, detail)

    def _check_published(self, batch: Batch) -> None:
        """The batch's leaves are the last entries of the public tree, byte for byte."""
        if not batch.leaves:
            return
        place, entries = batch.before.size, list[bytes]()
        first = place - place % WIDTH
        for at in range(first, batch.size, WIDTH):
            tile = tile_at(0, at // WIDTH, batch.size)
            try:
                entries += parse_bundle(self.inspection.public.read(tile.bundle_path) or b"", tile.width)
            except VerificationError:  # the core's audit reports it
                return
        for leaf, public in zip(batch.leaves, entries[place - first :], strict=False):
            if not self.inspection.compare(batch.name, leaf.entry(), public, PrivateReason.PUBLIC_DIFFERS):
                return

    def _expect(self, member: str, found: object, wanted: object) -> None:
        if found != wanted:
            one, other = _shown(found), _shown(wanted)
            self.inspection.find(
                HEAD, PrivateReason.HEAD_MISMATCH, f"{member}: head says {one}, wanted {other}"
            )


def _shown(value: object) -> str:
    return format_hash(value) if isinstance(value, bytes) else str(value)
