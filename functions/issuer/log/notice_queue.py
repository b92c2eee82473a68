"""The queue of notices: what a round takes of it, and how much room each kind of notice has.

A notices document only grows, and every trust root holds all of it (REG-1.0 section 9.3). So it is shared
out: whatever happens to kits, room is kept for keys and witness policies.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from attestlayer.canonical import Members, format_json, parse_json, take_integer, take_members
from attestlayer.encoding import format_time
from attestlayer.log.notices import (
    MAX_NOTICES,
    MAX_NOTICES_LENGTH,
    IncidentKind,
    IncidentReason,
    Notice,
    Notices,
    NoticeType,
    late_merge,
    take_notice,
)
from attestlayer.log.trust import Keyring, read_notices
from issuer.ledger.ledger import Ledger
from issuer.model import QueuedNotice

KITS, INCIDENTS, REST = "kit.*", "incident", "key.* and witness.policy"
_SHARE = {
    NoticeType.KIT_WITHDRAWN: KITS,
    NoticeType.KIT_SUPERSEDED: KITS,
    NoticeType.INCIDENT: INCIDENTS,
}

MAX_KITS = 8_000
MAX_KITS_LENGTH = 3 * 1024 * 1024
MAX_INCIDENTS = 1_500
MAX_LENGTH = 16 * 1024
"""Bytes of one notice about a key or a witness policy."""


class NoRoomError(ValueError):
    """A notice that is past its share; the message says what is full."""


@dataclass
class _Room:
    """What is taken: notices and bytes, by share. A document's braces and commas are counted with them."""

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys((KITS, INCIDENTS, REST), 0))
    lengths: dict[str, int] = field(default_factory=lambda: dict.fromkeys((KITS, INCIDENTS, REST), 0))

    def take(self, kind: NoticeType, length: int) -> None:
        """Take room for a notice, whoever asks."""
        share = _SHARE.get(kind, REST)
        self.counts[share] += 1
        self.lengths[share] += length

    def check(self, kind: NoticeType, length: int) -> None:
        """Check that a notice of `length` bytes has room. Raises `NoRoomError`."""
        share = _SHARE.get(kind, REST)
        if share == REST:
            _check_bound(length, MAX_LENGTH, f"bytes of one notice of {REST}")
        elif share == INCIDENTS:
            _check_bound(self.counts[INCIDENTS] + 1, MAX_INCIDENTS, "incidents")
        else:
            _check_bound(self.counts[KITS] + 1, MAX_KITS, f"{KITS} notices")
            _check_bound(self.lengths[KITS] + length, MAX_KITS_LENGTH, f"bytes of {KITS} notices")
        _check_bound(sum(self.counts.values()) + 1, MAX_NOTICES, "notices in all")
        _check_bound(sum(self.lengths.values()) + length, MAX_NOTICES_LENGTH, "bytes of all notices")


def _check_bound(wanted: int, bound: int, what: str) -> None:
    if wanted > bound:
        raise NoRoomError(f"no room: with this notice there would be {wanted} {what}, at most {bound} can be")


class Extension:
    """A notices document on its way to the next one, at time `at`. What is there is read once.

    `keyring`: what the notices yield so far.
    """

    def __init__(self, notices: Notices, at: int) -> None:
        self._origin, self._at = notices.origin, at
        self._notices = list(notices.notices)
        self._room = _Room()
        self._room.lengths[REST] = len(Notices(notices.origin, ()).format())
        self._contents: set[bytes] = set()
        for notice in self._notices:
            self._note(notice, notice.content())
        self.keyring = read_notices(notices)

    def add(self, queued: QueuedNotice) -> None:
        """Add one, unless it stands there already.

        Raises `ValueError` if it is no notice, contradicts those before, or has no room (`NoRoomError`).
        """
        data = take_members(parse_json(queued.data))
        notice = take_notice(Notice(len(self._notices), self._at, NoticeType(queued.type), data).members())
        content = notice.content()
        if content in self._contents or self._is_covered(notice.type, data):
            return
        self._room.check(notice.type, _length(notice, content))
        self.keyring.read(notice)
        self._note(notice, content)
        self._notices.append(notice)

    def notices(self) -> Notices:
        """The document with everything that was added."""
        return Notices(self._origin, tuple(self._notices))

    def _note(self, notice: Notice, content: bytes) -> None:
        self._contents.add(content)
        self._room.take(notice.type, _length(notice, content))

    def _is_covered(self, kind: NoticeType, data: Members) -> bool:
        """Whether it is a late merge of leaves that one incident covers: of a range that was widened."""
        late = late_range(kind.value, data)
        return late is not None and self.keyring.covers_late_merge(*late)


def late_range(kind: str, data: Members) -> tuple[int, int] | None:
    """First and last leaf of a late-merge incident's data; None of any other notice."""
    if kind != NoticeType.INCIDENT or data.get("kind") != IncidentKind.LATE_MERGE:
        return None
    return take_integer(data, "from_index"), take_integer(data, "to_index")


def _length(notice: Notice, content: bytes) -> int:
    """Bytes of a notice in its document, with a comma: of type and data, and of these two members."""
    return len(content) + len(f'"at":"{format_time(notice.at)}","n":{notice.n},') + 1


@dataclass(frozen=True, slots=True)
class NextNotices:
    """The notices of the next round, what they yield, and the queued ones that stand in them."""

    notices: Notices
    keyring: Keyring
    settled: tuple[QueuedNotice, ...]


def take_queued(notices: Notices, at: int, queued: Sequence[QueuedNotice]) -> NextNotices:
    """The document extended by what it can take of the queue at time `at`.

    The document is read once, however many are queued. The rest stays in the queue: an invalid notice, which
    `issuer audit` reports, and an incident past its share, which waits.
    """
    if not queued:
        return NextNotices(notices, read_notices(notices), ())
    extension = Extension(notices, at)
    settled = tuple(each for each in queued if _is_settled(extension, each))
    extended = extension.notices()
    return NextNotices(extended if extended != notices else notices, extension.keyring, settled)


def check_room(notices: Notices, at: int, queued: Iterable[QueuedNotice], added: QueuedNotice) -> None:
    """Check that `added` can be queued after `queued`. Raises `ValueError` as `Extension.add`."""
    extension = Extension(notices, at)
    for each in queued:
        _is_settled(extension, each)
    extension.add(added)


def queue_late_merge(ledger: Ledger, notices: Notices, first: int, last: int, reason: IncidentReason) -> None:
    """Queue the incident that leaves `first` … `last` came late. `notices`: those of the round that was late.

    Where no incident has room any more, one waits in the queue: it is widened, and keeps its reason.
    """
    kind, data = late_merge(first, last, reason)
    queued = ledger.queued_notices()
    taken = sum(notice.type == NoticeType.INCIDENT for notice in notices.notices)
    taken += sum(notice.type == NoticeType.INCIDENT for notice in queued)
    waiting = next(((each, late) for each in queued if (late := _late_data(each))), None)
    if taken < MAX_INCIDENTS or waiting is None:
        ledger.queue_notice(QueuedNotice(kind.value, format_json(data)))
        return
    old, late = waiting
    bounds = (take_integer(late, "from_index"), take_integer(late, "to_index"))
    wider: Members = {**late, "from_index": min(first, bounds[0]), "to_index": max(last, bounds[1])}
    if wider != late:
        ledger.replace_notice(old, QueuedNotice(kind.value, format_json(wider)))


def _late_data(queued: QueuedNotice) -> Members | None:
    """The data of a queued late-merge incident; None of any other notice, and of an invalid one."""
    try:
        data = take_members(parse_json(queued.data))
        return data if late_range(queued.type, data) else None
    except (ValueError, KeyError):
        return None


def _is_settled(extension: Extension, queued: QueuedNotice) -> bool:
    try:
        extension.add(queued)
    except ValueError:
        return False
    return True
