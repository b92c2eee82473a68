"""Audit of the mutable views and the consistency proofs: both must follow from the chain of checkpoints."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from attestlayer.audit.chain import Chain, Stage
from attestlayer.audit.findings import AuditReason, Trouble, check_note, difference
from attestlayer.audit.leaves import LeafAudit
from attestlayer.audit.reader import RegistryReader
from attestlayer.canonical import (
    Json,
    Members,
    format_json,
    parse_json,
    take_array,
    take_integer,
    take_object,
)
from attestlayer.encoding import Hash, format_hash, format_time, parse_hash, shown
from attestlayer.errors import VerificationError
from attestlayer.log import layout
from attestlayer.log.checkpoint import parse_checkpoint
from attestlayer.log.merkle import check_consistency
from attestlayer.log.note import parse_note
from attestlayer.log.notices import Role
from attestlayer.log.promises import MAX_CADENCE_S, MERGE_DELAY_S, renews_trust_root
from attestlayer.log.tool_texts import log_list, policy_text, registry_key_objects, registry_vkeys
from attestlayer.log.trust import Keyring, make_trust_root, parse_trust

NAMES = (
    layout.LATEST,
    layout.CHECKPOINT,
    layout.STATS,
    layout.TRUST,
    layout.REGISTRY_JWKS,
    layout.ISSUER_JWKS,
    layout.REGISTRY_VKEY,
    layout.POLICY,
    layout.LOG_LIST,
)

Views = dict[str, bytes | None]

CLOCK_TOLERANCE_S = 300
"""Seconds by which the newest checkpoint may be ahead of the auditor's clock, which may be wrong itself."""
CADENCES = 3
"""Cadences without a new checkpoint after which a log stands still (REG-1.0 section 11)."""
STILL_S = 180
"""Seconds below which no log stands still, however short its cadence: views are cached, audits take time."""


@dataclass
class ViewAudit:
    """Compares the views, as they were read at the start, with the newest checkpoint and its notices.

    `complete`: the audit went back to sequence 0. `now`: POSIX seconds, or None to say nothing of age.
    `cadence_s`: as `/v1/stats` states it, 0 if it does not.
    """

    reader: RegistryReader
    chain: Chain
    views: Views
    leaves: LeafAudit
    complete: bool
    now: int | None = None
    cadence_s: int = field(default=0, init=False)

    def run(self) -> None:
        """Compare every view; those that follow from notices only if the notices could be read."""
        newest, keyring = self.chain.newest, self.chain.keyring
        self._compare(layout.LATEST, newest.format())
        self._judge(layout.STATS, self._wrong_stats)
        self._judge(layout.CHECKPOINT, self._wrong_note)
        if self.views[layout.LATEST] is not None:  # else it is missing already
            self._judge(layout.LATEST, self._wrong_age)
        if keyring is None or self.chain.notices is None:
            return
        self._compare(layout.REGISTRY_JWKS, format_json(keyring.jwks(Role.REGISTRY)))
        self._compare(layout.ISSUER_JWKS, format_json(keyring.jwks(Role.ISSUER)))
        self._check_tool_texts(keyring)
        self._check_trust()

    def _check_tool_texts(self, keyring: Keyring) -> None:
        time = self.chain.newest.timestamp
        for name, data in registry_key_objects(keyring).items():
            self.reader.compare(name, data)
        if not keyring.keys_at(Role.REGISTRY, time):
            return  # a finding of the checkpoint
        self._compare(layout.REGISTRY_VKEY, registry_vkeys(keyring, time).encode())
        self._compare(layout.POLICY, policy_text(keyring, time).encode())
        if self.cadence_s:
            self._compare(layout.LOG_LIST, log_list(keyring, time, self.cadence_s).encode())

    def _judge(self, name: str, judge: Callable[[bytes], Iterator[Trouble]]) -> None:
        """Report what is wrong with a view, unless a later copy of it is right."""

        def troubles(data: bytes | None) -> list[Trouble]:
            missing = (AuditReason.MISSING, "found no object, wanted one")
            return [missing] if data is None else list(judge(data))

        view = self.views[name]
        right = self.reader.right(name, view, lambda copy: not troubles(copy))
        # If none is right, the one that was read together with the other views is reported.
        for reason, detail in troubles(view) if troubles(right) else ():
            self.reader.report(name, reason, detail)

    def _compare(self, name: str, wanted: bytes) -> None:
        def judge(view: bytes) -> Iterator[Trouble]:
            if view != wanted:
                yield AuditReason.VIEW_OUTDATED, difference(view, wanted)

        self._judge(name, judge)

    def _check_trust(self) -> None:
        notices, renewed = self.chain.notices, self.chain.renewed
        if notices is None:
            return
        if renewed is None:
            self._judge(layout.TRUST, self._wrong_older_trust)
            return
        try:
            wanted = make_trust_root(renewed, notices).format()
        except ValueError as error:  # the checkpoint's own finding says so, too
            self.reader.report(layout.TRUST, AuditReason.SIGNATURE_INVALID, error)
            return
        self._compare(layout.TRUST, wanted)

    def _wrong_older_trust(self, data: bytes) -> Iterator[Trouble]:
        """A trust root of a checkpoint older than all that the walk met: of their date and their notices."""
        try:
            trust = parse_trust(data)
        except VerificationError as error:
            yield AuditReason.MALFORMED, str(error)
            return
        newest, found = self.chain.newest, trust.checkpoint
        if trust.notices != self.chain.notices:
            have, wanted = format_hash(trust.notices.hash()), format_hash(newest.notices_hash)
            yield AuditReason.VIEW_OUTDATED, f"found notices {have}, wanted {wanted}"
        elif found.sequence > self.chain.lowest or renews_trust_root(
            found.timestamp, newest.timestamp, notices_changed=False
        ):
            detail = f"found checkpoint {found.sequence} of {format_time(found.timestamp)}, wanted the first"
            yield (
                AuditReason.VIEW_OUTDATED,
                f"{detail} of {format_time(newest.timestamp)[:10]} (UTC) or of the newest notices",
            )

    def _wrong_age(self, data: bytes) -> Iterator[Trouble]:
        """The newest checkpoint's time beside the auditor's. One from the future stops the log."""
        now = self.now
        if now is None:
            return
        try:
            at = parse_checkpoint(data).timestamp
        except VerificationError:
            return  # the comparison with the chain says so
        # A registry excuses no silence by stating a longer cadence.
        most = max(CADENCES * min(self.cadence_s, MAX_CADENCE_S), STILL_S)
        times = f"found {format_time(at)}, the time of this audit is {format_time(now)}"
        if at > now + CLOCK_TOLERANCE_S:
            yield (
                AuditReason.FROM_THE_FUTURE,
                f"{times}: the log can't go on until then. If your clock is wrong, name the time with --at",
            )
        elif now - at > most:
            yield (
                AuditReason.STANDS_STILL,
                f"{times}: {now - at} s, wanted at most {most}. For an old copy, name its time with --at",
            )

    def _wrong_stats(self, data: bytes) -> Iterator[Trouble]:
        try:
            stats = take_object(parse_json(data), (*self._stats(), *_PROMISE, "cadence_seconds", "notices"))
            cadence = take_integer(stats, "cadence_seconds")
        except (ValueError, KeyError) as error:
            yield AuditReason.MALFORMED, str(error)
            return
        self.cadence_s = cadence
        for member, value in self._stats().items():
            if stats.get(member) != value:
                detail = f"{member}: found {shown(stats.get(member))}, wanted {shown(value)}"
                yield AuditReason.VIEW_OUTDATED, detail
        if cadence == 0 or self.chain.newest.timestamp % cadence:
            at = self.chain.newest.timestamp
            yield AuditReason.VIEW_OUTDATED, f"cadence_seconds: {cadence} has no instant {at}"

    def _stats(self) -> Members:
        newest = self.chain.newest
        wanted: Members = {
            "origin": newest.origin,
            "tree_size": newest.head.size,
            "root_hash": format_hash(newest.head.root),
            "checkpoint_sequence": newest.sequence,
            "checkpoint_hash": format_hash(newest.hash()),
            "checkpoint_timestamp": format_time(newest.timestamp),
            "max_merge_delay_seconds": MERGE_DELAY_S,
        }
        if self.chain.notices is not None:
            wanted["notices"] = len(self.chain.notices.notices)
        if self.complete and self.chain.whole and self.leaves.all_read:
            gap, delay = self.chain.longest_gap, self.leaves.worst_delay()
            wanted |= dict(zip(_PROMISE, (gap, delay), strict=True))
        return wanted

    def _wrong_note(self, data: bytes) -> Iterator[Trouble]:
        newest, keyring = self.chain.newest, self.chain.keyring
        try:
            note = parse_note(data.decode())
        except (ValueError, VerificationError) as error:
            yield AuditReason.MALFORMED, str(error)
            return
        first = next((stage for stage in self.chain.stages if stage.head == newest.head), None)
        since = first.timestamp if first else newest.timestamp
        if first and first.sequence == self.chain.lowest > 0:
            since = 0  # the audit began within this tree's rounds: when it was new is not known
        if keyring is not None:
            yield from check_note(note, newest, keyring, since=since)


_AT_ONCE = 256
_PROMISE = ("longest_gap_seconds_24h", "worst_merge_delay_seconds_24h")
_MEMBERS = ("from_root", "from_size", "proof", "to_root", "to_size")


def _nothing() -> None:
    pass


@dataclass
class ConsistencyAudit:
    """Checks the stored proof from each published size to the next, from the size `done` on."""

    reader: RegistryReader
    chain: Chain
    done: int = 0
    mark: Callable[[], None] = _nothing

    def run(self) -> None:
        """Check every proof; `mark` is called now and then."""
        pairs = [(old, new) for old, new in pairwise(self.chain.stages) if self._is_due(old, new)]
        for at in range(0, len(pairs), _AT_ONCE):
            part = pairs[at : at + _AT_ONCE]
            self.reader.progress("consistency proofs", at, len(pairs))
            if self.reader.ahead:
                self.reader.ahead.expect(
                    layout.consistency_path(old.head.size, new.head.size) for old, new in part
                )
            for old, new in part:
                _check_proof(self.reader, old, new)
                self.done = new.head.size
            self.mark()

    def _is_due(self, old: Stage, new: Stage) -> bool:
        return old.head.size < new.head.size and new.head.size > self.done


def _check_proof(reader: RegistryReader, old: Stage, new: Stage) -> None:
    name = layout.consistency_path(old.head.size, new.head.size)
    data = reader.need(name)
    if data is None:
        return
    right = reader.right(name, data, lambda copy: not list(_wrong_proof(copy or b"", old, new)))
    for reason, detail in _wrong_proof(right or data, old, new):
        reader.report(name, reason, detail)


def _wrong_proof(data: bytes, old: Stage, new: Stage) -> Iterator[Trouble]:
    wanted: Members = {
        "from_size": old.head.size,
        "to_size": new.head.size,
        "from_root": format_hash(old.head.root),
        "to_root": format_hash(new.head.root),
    }
    try:
        members = take_object(parse_json(data), _MEMBERS)
        proof = [_hash_of(value) for value in take_array(members, "proof")]
    except ValueError as error:
        yield AuditReason.MALFORMED, str(error)
        return
    for member, value in wanted.items():
        if members[member] != value:
            detail = f"{member}: found {shown(members[member])}, wanted {shown(value)}"
            yield AuditReason.PROOF_INVALID, detail
    try:
        check_consistency(old.head, new.head, proof)
    except VerificationError as error:
        yield AuditReason.PROOF_INVALID, str(error)


def _hash_of(value: Json) -> Hash:
    if not isinstance(value, str):
        raise ValueError(f"proof: found {shown(value)}, wanted a hash")
    return parse_hash(value)
