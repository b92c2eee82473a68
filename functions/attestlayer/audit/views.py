"""Audit of the mutable views and the consistency proofs: both must follow from the chain of checkpoints."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

from attestlayer.audit.chain import Chain, Stage
from attestlayer.audit.findings import AuditReason, RegistryReader, check_note, difference
from attestlayer.audit.leaves import LeafAudit
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
from attestlayer.log.merkle import check_consistency
from attestlayer.log.note import parse_note
from attestlayer.log.notices import Notices, Role
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
        self._check_stats()
        if self.now is not None:
            self._check_age(self.now)
        self._check_note(keyring)
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

    def _compare(self, name: str, wanted: bytes) -> None:
        view = self.views[name]
        if view is None:
            self.reader.report(name, AuditReason.MISSING, "found no object, wanted one")
        elif view != wanted:
            self.reader.report(name, AuditReason.VIEW_OUTDATED, difference(view, wanted))

    def _check_trust(self) -> None:
        notices, renewed = self.chain.notices, self.chain.renewed
        if notices is None:
            return
        if renewed is None:
            self._check_older_trust(notices)
            return
        try:
            wanted = make_trust_root(renewed, notices).format()
        except ValueError as error:  # the checkpoint's own finding says so, too
            self.reader.report(layout.TRUST, AuditReason.SIGNATURE_INVALID, error)
            return
        self._compare(layout.TRUST, wanted)

    def _check_older_trust(self, notices: Notices) -> None:
        """A trust root of a checkpoint older than all that the walk met: of their date and their notices."""
        try:
            trust = parse_trust(self.views[layout.TRUST] or b"")
        except VerificationError as error:
            self.reader.report(layout.TRUST, AuditReason.MALFORMED, error)
            return
        newest, found = self.chain.newest, trust.checkpoint
        if trust.notices != notices:
            have, wanted = format_hash(trust.notices.hash()), format_hash(newest.notices_hash)
            self.reader.report(
                layout.TRUST, AuditReason.VIEW_OUTDATED, f"found notices {have}, wanted {wanted}"
            )
        elif found.sequence > self.chain.lowest or renews_trust_root(
            found.timestamp, newest.timestamp, notices_changed=False
        ):
            detail = f"found checkpoint {found.sequence} of {format_time(found.timestamp)}, wanted the first"
            self.reader.report(
                layout.TRUST,
                AuditReason.VIEW_OUTDATED,
                f"{detail} of {format_time(newest.timestamp)[:10]} (UTC) or of the newest notices",
            )

    def _check_age(self, now: int) -> None:
        """Compare the newest checkpoint's time with the auditor's. One from the future stops the log."""
        at = self.chain.newest.timestamp
        cadence_s = min(
            self.cadence_s, MAX_CADENCE_S
        )  # a registry excuses no silence by stating a longer one
        times = f"found {format_time(at)}, the time of this audit is {format_time(now)}"
        if at > now + CLOCK_TOLERANCE_S:
            detail = (
                f"{times}: the log can't go on until then. If your clock is wrong, name the time with --at"
            )
            self.reader.report(layout.LATEST, AuditReason.FROM_THE_FUTURE, detail)
        elif now - at > (most := max(CADENCES * cadence_s, STILL_S)):
            detail = f"{times}: {now - at} s, wanted at most {most}. For an old copy, name its time with --at"
            self.reader.report(layout.LATEST, AuditReason.STANDS_STILL, detail)

    def _check_stats(self) -> None:
        data, name = self.views[layout.STATS], layout.STATS
        if data is None:
            self.reader.report(name, AuditReason.MISSING, "found no object, wanted one")
            return
        try:
            stats = take_object(parse_json(data), (*self._stats(), *_PROMISE, "cadence_seconds", "notices"))
            cadence = take_integer(stats, "cadence_seconds")
        except (ValueError, KeyError) as error:
            self.reader.report(name, AuditReason.MALFORMED, error)
            return
        self.cadence_s = cadence
        for member, value in self._stats().items():
            if stats.get(member) != value:
                detail = f"{member}: found {shown(stats.get(member))}, wanted {shown(value)}"
                self.reader.report(name, AuditReason.VIEW_OUTDATED, detail)
        if cadence == 0 or self.chain.newest.timestamp % cadence:
            at = self.chain.newest.timestamp
            self.reader.report(
                name, AuditReason.VIEW_OUTDATED, f"cadence_seconds: {cadence} has no instant {at}"
            )

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

    def _check_note(self, keyring: Keyring | None) -> None:
        data, newest = self.views[layout.CHECKPOINT], self.chain.newest
        if data is None:
            self.reader.report(layout.CHECKPOINT, AuditReason.MISSING, "found no object, wanted one")
            return
        try:
            note = parse_note(data.decode())
        except (ValueError, VerificationError) as error:
            self.reader.report(layout.CHECKPOINT, AuditReason.MALFORMED, error)
            return
        first = next((stage for stage in self.chain.stages if stage.head == newest.head), None)
        since = first.timestamp if first else newest.timestamp
        if first and first.sequence == self.chain.lowest > 0:
            since = 0  # the audit began within this tree's rounds: when it was new is not known
        if keyring is not None:
            for word, detail in check_note(note, newest, keyring, since=since):
                self.reader.report(layout.CHECKPOINT, word, detail)


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
        reader.report(name, AuditReason.MALFORMED, error)
        return
    for member, value in wanted.items():
        if members[member] != value:
            detail = f"{member}: found {shown(members[member])}, wanted {shown(value)}"
            reader.report(name, AuditReason.PROOF_INVALID, detail)
    try:
        check_consistency(old.head, new.head, proof)
    except VerificationError as error:
        reader.report(name, AuditReason.PROOF_INVALID, error)


def _hash_of(value: Json) -> Hash:
    if not isinstance(value, str):
        raise ValueError(f"proof: found {shown(value)}, wanted a hash")
    return parse_hash(value)
