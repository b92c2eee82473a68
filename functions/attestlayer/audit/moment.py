"""Reads the mutable views of one moment: rounds replace them one by one, and caches keep each for itself.

A view that lags behind another is asked for again, past caches and after the time for which the answer said
that it may be shown. Copies that were read earlier count, too: the newest round of which every view was seen
is the moment. A view that does not come along is the audit's to judge.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from attestlayer.audit.reader import AGAIN, RegistryReader
from attestlayer.audit.views import NAMES, Views
from attestlayer.canonical import format_json, parse_json, take_hash, take_integer, take_members
from attestlayer.encoding import Hash
from attestlayer.errors import CouldNotCheckError, Reason, VerificationError
from attestlayer.log import layout
from attestlayer.log.checkpoint import Checkpoint, parse_checkpoint, parse_note_body
from attestlayer.log.note import parse_note
from attestlayer.log.notices import Role
from attestlayer.log.tool_texts import policy_text, registry_vkeys
from attestlayer.log.trust import Keyring, TrustRoot, parse_trust

_TRIES = 4
_MOST_TRIES = 12
"""How often views are read while they move: behind caches of 5 s, rounds every 5 s and more."""


def read_views(reader: RegistryReader, least: int) -> Views:
    """The views of one moment, of a checkpoint of sequence `least` or later where there is one.

    Raises `CouldNotCheckError` if the views keep moving and never agree.
    """
    views = {name: reader.look(name, keep=True) for name in NAMES}
    if not reader.is_cached:
        return _still(reader, views)
    if not any(views.values()):  # no registry: whoever mistyped an address is told at once
        return views
    return _Moment(reader, {name: [data] for name, data in views.items()}, least).settle()


def _still(reader: RegistryReader, views: Views) -> Views:
    """Read again while the registry moves on, at once: there is no cache."""
    for _ in range(_TRIES - 1):
        # Views are replaced one by one: two equal reads of the newest checkpoint enclose a moment without a
        # round.
        if reader.look(layout.LATEST) == views[layout.LATEST]:
            break
        views = {name: reader.look(name) for name in NAMES}
    return views


@dataclass
class _Moment:
    """The copies of each view that were seen, oldest first."""

    reader: RegistryReader
    copies: dict[str, list[bytes | None]]
    least: int
    _asked: dict[str, int] = field(default_factory=dict)

    def settle(self) -> Views:
        """Ask again for what lags until the views agree, or what lags does not come along."""
        self.least = max(self.least, *(_position(name, self.copies[name][0]) for name in _SEQUENCED))
        for _ in range(_MOST_TRIES):
            for latest in self._candidates():
                views = {name: self._copy_of(name, latest) for name in NAMES}
                lagging = [name for name, found in views.items() if not found]
                if not lagging:
                    return {name: found[0] for name, found in views.items()}
            due = [name for name in self._behind() if self._asked.get(name, 0) <= AGAIN]
            if not due:
                return self._newest()
            for name in due:
                self._ask_again(name)
        raise CouldNotCheckError(
            Reason.INPUT_UNREADABLE,
            f"read {_MOST_TRIES} times, {', '.join(self._behind())} and the other views were never of one "
            "checkpoint: the log moves on faster than the caches before it; try again, or closer to it",
        )

    def _candidates(self) -> Iterator[Checkpoint]:
        """The checkpoints that the copies of `latest.json` are, newest first."""
        for data in reversed(self.copies[layout.LATEST]):
            latest = _latest(data)
            if latest and latest.sequence >= self.least:
                yield latest

    def _copy_of(self, name: str, latest: Checkpoint) -> list[bytes | None]:
        """The newest copy that may be this checkpoint's view, if there is one."""
        trusts = (_trust(data) for data in reversed(self.copies[layout.TRUST]))
        trust = next((each for each in trusts if each and each.notices.hash() == latest.notices_hash), None)
        fits = _FITS[name]
        return [data for data in reversed(self.copies[name]) if fits(data, latest, trust)][:1]

    def _behind(self) -> list[str]:
        """The views whose newest copies are older than another view's, or can't be told."""
        latest = _latest(self.copies[layout.LATEST][-1])
        if latest is None or latest.sequence < max(
            self.least, *(_position(name, self.copies[name][-1]) for name in _SEQUENCED)
        ):
            return [layout.LATEST]
        behind = [name for name in NAMES if not self._copy_of(name, latest)]
        size = _position(layout.CHECKPOINT, self.copies[layout.CHECKPOINT][-1])
        if layout.CHECKPOINT in behind and size > latest.head.size:
            return [layout.LATEST]
        return behind

    def _ask_again(self, name: str) -> None:
        before = self.copies[name][-1]
        data = next(self.reader.other_copies(name), before)
        self.copies[name].append(data)
        # A view that comes along has its tries again; one that stays, or is no view at all, has not.
        moved = _position(name, data) > _position(name, before)
        self._asked[name] = 0 if moved else self._asked.get(name, 0) + 1

    def _newest(self) -> Views:
        """What was seen, of the newest checkpoint where it was."""
        latest = _latest(self.copies[layout.LATEST][-1])
        newest: Views = {}
        for name, copies in self.copies.items():
            found = self._copy_of(name, latest) if latest else []
            newest[name] = (found or copies[-1:])[0]
        return newest


_SEQUENCED = (layout.LATEST, layout.STATS, layout.TRUST)


def _position(name: str, data: bytes | None) -> int:
    """How far a view is: its checkpoint's sequence, of the note the size; -1 if it can't be read."""
    with suppress(ValueError, KeyError, VerificationError):
        if name == layout.STATS:
            return take_integer(take_members(parse_json(data or b"")), "checkpoint_sequence")
        if name == layout.CHECKPOINT:
            return parse_note_body(parse_note((data or b"").decode()).text).head.size
        if name == layout.TRUST:
            return parse_trust(data or b"").checkpoint.sequence
        if name == layout.LATEST:
            return parse_checkpoint(data or b"").sequence
    return -1


def _latest(data: bytes | None) -> Checkpoint | None:
    with suppress(VerificationError):
        return parse_checkpoint(data or b"")
    return None


def _trust(data: bytes | None) -> TrustRoot | None:
    with suppress(VerificationError):
        return parse_trust(data or b"")
    return None


Fits = Callable[[bytes | None, Checkpoint, TrustRoot | None], bool]


def _is_latest(data: bytes | None, latest: Checkpoint, trust: TrustRoot | None) -> bool:
    del trust
    return data == latest.format()


def _is_stats(data: bytes | None, latest: Checkpoint, trust: TrustRoot | None) -> bool:
    del trust
    named: Hash | None = None
    with suppress(ValueError, KeyError):
        named = take_hash(take_members(parse_json(data or b"")), "checkpoint_hash")
    return named == latest.hash()


def _is_note(data: bytes | None, latest: Checkpoint, trust: TrustRoot | None) -> bool:
    del trust
    with suppress(ValueError, VerificationError):
        return parse_note((data or b"").decode()).text == latest.note_text()
    return False


def _is_trust(data: bytes | None, latest: Checkpoint, trust: TrustRoot | None) -> bool:
    del trust
    root = _trust(data)
    return root is not None and root.notices.hash() == latest.notices_hash


def _is_keys(role: Role) -> Fits:
    # Without the trust root it is not known which keys they should be: it is asked for again in their place.
    return lambda data, latest, trust: trust is None or data == format_json(trust.keyring.jwks(role))


def _is_text(text: Callable[[Keyring, int], str]) -> Fits:
    def fits(data: bytes | None, latest: Checkpoint, trust: TrustRoot | None) -> bool:
        return trust is None or data == text(trust.keyring, latest.timestamp).encode()

    return fits


def _is_log_list(data: bytes | None, latest: Checkpoint, trust: TrustRoot | None) -> bool:
    """Whether the list names the key: its number of requests follows from the cadence, which stays."""
    key = b"" if trust is None else registry_vkeys(trust.keyring, latest.timestamp).split("\n", 1)[0].encode()
    return key in (data or b"")


_FITS: dict[str, Fits] = {
    layout.LATEST: _is_latest,
    layout.CHECKPOINT: _is_note,
    layout.STATS: _is_stats,
    layout.TRUST: _is_trust,
    layout.REGISTRY_JWKS: _is_keys(Role.REGISTRY),
    layout.ISSUER_JWKS: _is_keys(Role.ISSUER),
    layout.REGISTRY_VKEY: _is_text(registry_vkeys),
    layout.POLICY: _is_text(policy_text),
    layout.LOG_LIST: _is_log_list,
}
