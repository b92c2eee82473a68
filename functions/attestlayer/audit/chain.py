"""Audit of the chain of checkpoints with its bundles and notices, followed back from hash to hash."""

from collections.abc import Callable
from dataclasses import dataclass, field

from attestlayer.audit.findings import AuditReason
from attestlayer.audit.reader import RegistryReader
from attestlayer.audit.state import MAX_STRETCHES, Stretch
from attestlayer.canonical import Json, parse_json
from attestlayer.encoding import Hash, format_hash, format_time, sha256
from attestlayer.errors import VerificationError
from attestlayer.log import layout
from attestlayer.log.checkpoint import Checkpoint, parse_checkpoint, take_checkpoint
from attestlayer.log.merkle import TreeHead
from attestlayer.log.notices import Notices, Role, parse_notices
from attestlayer.log.promises import renews_trust_root
from attestlayer.log.trust import Keyring, read_notices


@dataclass(frozen=True, slots=True)
class Stage:
    """The first checkpoint of one size: its leaves are proven against it."""

    sequence: int
    timestamp: int
    head: TreeHead
    hash: Hash


@dataclass
class Chain:
    """The facts that the walk gathers, oldest stage first. `whole`: no checkpoint was missing on the way.

    Memory: 32 bytes a checkpoint, and a `Stage` for each size. `renewed`: the checkpoint of the newest trust
    root; None if the walk ended before it met that.
    `lowest`: the sequence down to which it was followed. `keyring`: None if the newest
    notices can't be read. `longest_gap`: seconds between checkpoints, in the time that stats look back on.
    """

    newest: Checkpoint
    keyring: Keyring | None
    notices: Notices | None
    renewed: Checkpoint | None = None
    stages: list[Stage] = field(default_factory=list)
    hashes: bytearray = field(default_factory=bytearray)
    notices_hashes: set[Hash] = field(default_factory=set)
    whole: bool = True
    lowest: int = 0
    longest_gap: int | None = None

    def checkpoint_hashes(self) -> set[bytes]:
        """The hashes of all checkpoints of the chain."""
        return {bytes(self.hashes[at : at + 32]) for at in range(0, len(self.hashes), 32)}


def looked_back(newest: Checkpoint) -> int:
    """Since when stats look back: the start of the hour 24 hours before the newest checkpoint's."""
    return (newest.timestamp // 3600 - 24) * 3600


def stage_of(checkpoint: Checkpoint) -> Stage:
    """A checkpoint as the first one of its size."""
    return Stage(checkpoint.sequence, checkpoint.timestamp, checkpoint.head, checkpoint.hash())


def _never(*_: object) -> bool:
    return False


@dataclass
class ChainWalk:
    """Walks from the newest checkpoint back to sequence 0, or to `stop`; `anchors` must be met on the way.

    `checked`: stretches that an earlier run has checked, newest first; the walk follows their hashes and
    skips signatures. `mark` is called where a bundle begins, when everything above it is checked; `enough`
    then says whether the walk may end there. `forked`: a stretch turned out to be of another chain.
    """

    reader: RegistryReader
    chain: Chain
    stop: Checkpoint | None = None
    anchors: tuple[Checkpoint, ...] = ()
    checked: tuple[Stretch, ...] = ()
    mark: Callable[[], object] = _never
    enough: Callable[[Checkpoint], bool] = _never
    forked: bool = False
    _low: int | None = None
    _followed: int | None = None
    _fresh: bool = False
    _items: tuple[int, list[Json]] = (-1, [])
    _document: Notices | None = None
    _known: Keyring | None = None
    _bundle: list[bytes] = field(default_factory=list)

    def run(self) -> None:
        """Walk back, and fill in the chain."""
        self._document, self._known = self.chain.notices, self.chain.keyring
        # From the newest end: each checkpoint names the hash of the one before, so that nothing older can be
        # swapped. One checkpoint is held at a time, whatever the length of the chain.
        current, last = self.chain.newest, self.stop.sequence if self.stop else 0
        self._check_object(current)
        while True:
            self._enter(current)
            self._visit(current)
            # Where a bundle begins is the only place to stop or to save: a bundle is compared as a whole.
            if current.sequence % layout.BUNDLED == 0 and self._is_done(current):
                break
            if current.sequence <= last:
                break
            # A hole ends the walk: the hashes of what is before it are known to nobody.
            earlier = self._fetch(current)
            if earlier is None:
                self.chain.whole = False
                break
            self._link(earlier, current)
            current = earlier
        self.chain.lowest = current.sequence
        if current.sequence == 0 and self.chain.renewed is None:
            self.chain.renewed = current
        self.chain.stages.append(stage_of(current))
        self.chain.stages.reverse()

    def stretches(self) -> tuple[Stretch, ...]:
        """The stretches checked so far, newest first."""
        newest = self.chain.newest
        own = () if self._low is None else (Stretch(newest.sequence, newest.hash(), self._low),)
        return (*own, *self.checked)[:MAX_STRETCHES]

    def _enter(self, current: Checkpoint) -> None:
        """See whether a stretch that was checked before begins here."""
        if self._followed is not None and current.sequence < self._followed:
            self._followed = None
        if self.checked and self.checked[0].sequence == current.sequence:
            stretch, self.checked = self.checked[0], self.checked[1:]
            # An earlier run checked from here down to `stretch.low`. Signatures and bundles of it are not
            # checked again; the hashes still are, by following them.
            if stretch.hash == current.hash():
                self._followed = stretch.low
                self._fresh = True  # the bundle that it begins in was not full then
                return
            self.forked, self.checked = True, ()
            name, wanted = layout.checkpoint_path(current.hash()), format_hash(stretch.hash)
            detail = f"sequence {current.sequence}: {wanted} was audited before"
            self.reader.report(name, AuditReason.TRUST_CONFLICT, detail)
        self._fresh |= self._followed is None

    def _is_done(self, current: Checkpoint) -> bool:
        """Where a bundle begins: all down to here is checked. Whether the rest need not be followed."""
        self._low = current.sequence if self._followed is None else self._followed
        self._fresh = False
        self.mark()
        return self._low == 0 and self.enough(current)

    def _check_object(self, newest: Checkpoint) -> None:
        self.reader.compare(layout.checkpoint_path(newest.hash()), newest.format())

    def _visit(self, current: Checkpoint) -> None:
        name = layout.checkpoint_path(current.hash())
        # One bytearray: a list of a million hashes would take three times the memory.
        self.chain.hashes += current.hash()
        self.chain.notices_hashes.add(current.notices_hash)
        if current.sequence % 64 == 0:
            total = self.chain.newest.sequence
            self.reader.progress("checkpoints", total - current.sequence, total)
        if current.origin != self.chain.newest.origin:
            wanted = self.chain.newest.origin
            self.reader.report(name, AuditReason.ORIGIN_MISMATCH, f"found {current.origin}, wanted {wanted}")
        for known in self.anchors:
            if known.sequence == current.sequence and known != current:
                wanted = format_hash(known.hash())
                self.reader.report(
                    name, AuditReason.TRUST_CONFLICT, f"sequence {known.sequence}: wanted {wanted}"
                )
        if self._followed is None:
            self._check_signature(name, current)
        self._gather(current)
        self._look_ahead(current.sequence)

    def _check_signature(self, name: str, current: Checkpoint) -> None:
        keyring = self.chain.keyring
        if keyring is None:
            return
        # REG-1.0 section 11, rule 7: of the keys that count, the first one signs (section 9.4).
        signing = [key.public.kid for key in keyring.keys_at(Role.REGISTRY, current.timestamp)][:1]
        if signing != [current.kid]:
            at, wanted = format_time(current.timestamp), "".join(signing) or "none"
            self.reader.report(
                name, AuditReason.KEY_NOT_VALID, f"at {at} found key {current.kid}, wanted {wanted}"
            )
        key = keyring.key(Role.REGISTRY, current.kid)
        if key and not key.public.verifies(current.signature, current.signed_bytes()):
            self.reader.report(
                name, AuditReason.SIGNATURE_INVALID, f"{current.signature.hex()} is not key {current.kid}'s"
            )

    def _gather(self, current: Checkpoint) -> None:
        """Compare the bundle once all of its checkpoints were met, last one first."""
        number, place = divmod(current.sequence, layout.BUNDLED)
        # The walk meets a bundle's checkpoints last one first; a bundle that the walk entered midway is not
        # compared.
        if place == layout.BUNDLED - 1:
            self._bundle = []
        self._bundle.append(current.format())
        if place == 0 and len(self._bundle) == layout.BUNDLED and self._fresh:
            wanted = b"[" + b",".join(reversed(self._bundle)) + b"]"
            self.reader.compare(layout.checkpoint_bundle_path(number), wanted)

    def _fetch(self, current: Checkpoint) -> Checkpoint | None:
        """The checkpoint before, from its object, else out of its bundle, else none."""
        wanted, sequence = current.prev_checkpoint_hash, current.sequence - 1
        if wanted is None:  # a parsed checkpoint names one unless its sequence is 0
            return None
        # In a stretch that was checked before, 256 checkpoints are read as one bundle; each still has to hash
        # to what its successor names.
        followed = self._followed is not None and sequence >= self._followed
        if followed and (known := self._bundled(sequence, wanted)):
            return known
        name = layout.checkpoint_path(wanted)
        data = self.reader.need_hashed(name, wanted)
        try:
            earlier = parse_checkpoint(data) if data is not None else self._bundled(sequence, wanted)
        except VerificationError as error:
            self.reader.report(name, AuditReason.MALFORMED, error)
            earlier = None
        if earlier is None:
            self.reader.report(
                name, AuditReason.CHAIN_BROKEN, f"sequence {sequence} and those before it can't be followed"
            )
        return earlier

    def _bundled(self, sequence: int, wanted: Hash) -> Checkpoint | None:
        number, place = divmod(sequence, layout.BUNDLED)
        if self._items[0] != number:
            self._items = (number, self._read_bundle(number))
        try:
            bundled = take_checkpoint(self._items[1][place])
        except (ValueError, IndexError, VerificationError):
            return None
        return bundled if bundled.hash() == wanted else None

    def _read_bundle(self, number: int) -> list[Json]:
        try:
            items = parse_json(self.reader.read(layout.checkpoint_bundle_path(number)) or b"")
        except ValueError:
            return []
        return items if isinstance(items, list) else []

    def _look_ahead(self, sequence: int) -> None:
        """Where a bundle ends: have its checkpoints fetched, whose names its bytes hint at."""
        ahead, (number, place) = self.reader.ahead, divmod(sequence, layout.BUNDLED)
        if ahead is None or place != layout.BUNDLED - 1:
            return
        following = [layout.checkpoint_bundle_path(number - 1)] if number else []
        pieces: list[bytes] = []
        if self._followed is None:
            data = ahead.peek(layout.checkpoint_bundle_path(number)) or b""
            # A hint only: a bundle is canonical JSON, so that its objects part at `},{`. A wrong guess
            # fetches nothing useful.
            pieces = data[1:-1].replace(b"},{", b"}\n{").split(b"\n", layout.BUNDLED)
        ahead.expect([*(layout.checkpoint_path(sha256(piece)) for piece in pieces[-2::-1]), *following])

    def _link(self, earlier: Checkpoint, later: Checkpoint) -> None:
        """Check that two checkpoints follow each other; their notices too."""
        name = layout.checkpoint_path(later.hash())
        one, other = earlier.head, later.head
        # REG-1.0 section 11, rules 1 to 3.
        for holds, detail in (
            (earlier.sequence == later.sequence - 1, f"sequence {later.sequence} follows {earlier.sequence}"),
            (earlier.timestamp < later.timestamp, f"timestamp {later.timestamp} follows {earlier.timestamp}"),
            (one.size <= other.size, f"size {other.size} follows {one.size}"),
            (one.size != other.size or one.root == other.root, f"another root of size {other.size}"),
        ):
            if not holds:
                self.reader.report(name, AuditReason.ORDER_WRONG, detail)
        # Walking back, the last checkpoint of a size comes first: the later of two that differ begins a new
        # size.
        if one.size != other.size:
            self.chain.stages.append(stage_of(later))
        if later.timestamp >= looked_back(self.chain.newest):
            gap = later.timestamp - earlier.timestamp
            self.chain.longest_gap = max(self.chain.longest_gap or 0, gap)
        self._turn_back(earlier, later)
        if self._known and later.kid not in self._known.keys:
            self.reader.report(
                name,
                AuditReason.KEY_NOT_VALID,
                f"key {later.kid} was not in the notices of the checkpoint before",
            )

    def _turn_back(self, earlier: Checkpoint, later: Checkpoint) -> None:
        """Take the notices of the checkpoint before; the later ones must be they and more."""
        changed = earlier.notices_hash != later.notices_hash
        # Walking back, the newest renewal is met first.
        if self.chain.renewed is None and renews_trust_root(
            earlier.timestamp, later.timestamp, notices_changed=changed
        ):
            self.chain.renewed = later
        if not changed:
            return
        # REG-1.0 section 11, rule 8: the later document begins with the earlier one, and has more.
        after = self._document
        self._document = before = read_document(self.reader, earlier.notices_hash)
        self._known = keys_of(self.reader, earlier.notices_hash, before)
        if before is None or after is None:
            return
        name, more = layout.notices_path(later.notices_hash), len(before.notices)
        if not after.starts_with(before) or len(after.notices) == more:
            before_name = format_hash(earlier.notices_hash)
            self.reader.report(
                name, AuditReason.NOTICES_REWRITTEN, f"they are not those of {before_name} and more"
            )
        for notice in after.notices[more:]:
            if not earlier.timestamp < notice.at <= later.timestamp:
                between = f"{format_time(earlier.timestamp)} and {format_time(later.timestamp)}"
                dated = f"notice {notice.n} is of {format_time(notice.at)}"
                self.reader.report(name, AuditReason.TIME_WRONG, f"{dated}, wanted between {between}")


def read_document(reader: RegistryReader, wanted: Hash) -> Notices | None:
    """A notices document by its hash, or None with a finding."""
    name = layout.notices_path(wanted)
    data = reader.need_hashed(name, wanted)
    try:
        return None if data is None else parse_notices(data)
    except VerificationError as error:
        reader.report(name, AuditReason.MALFORMED, error)
        return None


def keys_of(reader: RegistryReader, wanted: Hash, document: Notices | None) -> Keyring | None:
    """The keys that a document yields, or None, with a finding if it contradicts itself."""
    try:
        return None if document is None else read_notices(document)
    except ValueError as error:
        reader.report(layout.notices_path(wanted), AuditReason.NOTICES_CONTRADICT, error)
        return None
