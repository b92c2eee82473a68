"""Finishes a committed round: tiles, the signature, and everything that follows from it.

Any number of publishers may run the same round, after any crash: what is not yet stored they store,
and it is the same bytes, since `signed/<sequence>` is taken from whoever stored it first.
"""

import itertools
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from attestlayer import layout
from attestlayer.canonical import format_json
from attestlayer.checkpoint import Checkpoint
from attestlayer.keyring import read_notices
from attestlayer.notices import IncidentReason, late_merge
from attestlayer.receipt import MERGE_DELAY_S
from issuer.errors import LogHaltedError, ObjectConflictError, StaleTagError, StoreError
from issuer.log import face
from issuer.log.cause import settle_cause
from issuer.log.promise import (
    Promise,
    debit_id,
    parse_promise,
    promise_after,
    promise_name,
    returned,
)
from issuer.log.publication import Growth, consistency_object, entry_objects, views
from issuer.log.signing import RoundSigner
from issuer.log.state import (
    Batch,
    Head,
    SignedRound,
    parse_batch,
    signed_name,
)
from issuer.log.store import LogPorts
from issuer.model import QueuedNotice

_AT_ONCE = 512
"""Objects handed to the store in one `create_many`."""

_TRIES = 8


@dataclass(frozen=True)
class Publisher:
    """Finishes rounds."""

    ports: LogPorts

    def bring_public(self, head: Head) -> Checkpoint:
        """Head's checkpoint: the public one, or that of its round, which is finished now.

        Raises `LogHaltedError` unless the public face is this log's, at head or one round behind it;
        `SupersededError` if it is ahead since head has moved on.
        """
        latest = face.read_latest(self.ports.public)
        if latest and latest.sequence > head.sequence:
            self.ports.check_current(head)
            raise LogHaltedError(
                f"the public checkpoint {latest.sequence} is ahead of head {head.sequence}: head came from "
                "a backup, or two logs share one registry. Nothing was signed; see the page on recovery"
            )
        if latest and latest.sequence == head.sequence:
            signed = self.ports.read_signed(head.sequence)
            if signed is None or signed.checkpoint != latest or latest.head != head.tree:
                raise LogHaltedError(
                    f"the public checkpoint {latest.sequence} is not the one that this log signed"
                )
            return latest
        behind = (latest.sequence, latest.hash()) if latest else (-1, None)
        if behind != (head.sequence - 1, head.previous):
            raise LogHaltedError(
                f"the public checkpoint {behind[0]} is not the one before head {head.sequence}: the registry "
                "came from a backup, or is another log's. Nothing was signed; see the page on recovery"
            )
        return self.finish(head)

    def finish(self, head: Head) -> Checkpoint:
        """Bring head's round to the public, whatever of it is there already.

        Raises `LogHaltedError` if what it reads does not agree, `SupersededError` if head has moved on.
        """
        public = self.ports.public
        batch = self._read_batch(head)
        growth = Growth(face.read_edge(public, batch.before), batch)
        if growth.head() != head.tree:
            raise LogHaltedError(
                f"the tiles of round {head.sequence} do not make the root that was committed"
            )
        self._create(growth.objects())
        keyring = read_notices(batch.notices)
        signed = RoundSigner(self.ports).sign(head, batch, keyring)
        self._give_back(batch, signed)
        promise = self._promise(head, batch, signed)
        self._create({layout.notices_path(batch.notices.hash()): batch.notices.format()})
        self._create(dict(entry_objects(batch, signed, growth)) | consistency_object(batch, growth))
        self._create({layout.checkpoint_path(signed.checkpoint.hash()): signed.checkpoint.format()})
        if head.sequence % layout.BUNDLED == layout.BUNDLED - 1:
            self._create(self._bundle(head.sequence))
        for name, data in views(batch, signed, keyring, promise, self.ports.cadence_s).items():
            self._replace(name, data, head)
        self._drop_promise(head.sequence)
        return signed.checkpoint

    def _read_batch(self, head: Head) -> Batch:
        data = self.ports.private.read(head.batch)
        if data is None:
            self.ports.check_current(head)  # a later round may have made it superfluous
            raise LogHaltedError(f"the batch of round {head.sequence}, {head.batch}, is missing")
        batch = parse_batch(data, head.batch)
        named = (head.sequence, head.batch_time, head.notices_hash)
        if (batch.sequence, batch.time, batch.notices.hash()) != named:
            raise LogHaltedError(f"{head.batch} is not the batch of round {head.sequence}")
        return batch

    def _give_back(self, batch: Batch, signed: SignedRound) -> None:
        """Leaves that come into a checkpoint after their `merge_by`: a public notice, the credit back."""
        ledger, timestamp = self.ports.ledger, signed.checkpoint.timestamp
        late = [n for n, leaf in enumerate(batch.leaves) if timestamp > leaf.issued_at + MERGE_DELAY_S]
        first = batch.before.size
        for reason, part in self._reasons(batch, late):
            kind, data = late_merge(first + part[0], first + part[-1], reason)
            ledger.queue_notice(QueuedNotice(kind.value, format_json(data)))
        for n in late:
            leaf_hash = batch.leaves[n].hash()
            paid_from = ledger.credit_entry(debit_id(leaf_hash)) or ledger.waiting_leaf(leaf_hash)
            if paid_from:
                ledger.post_credits(returned(paid_from, leaf_hash, timestamp))

    def _reasons(self, batch: Batch, late: list[int]) -> Iterator[tuple[IncidentReason, list[int]]]:
        """Why leaves are late: those that were when their batch was made, for an outage; others, which are
        younger, for what held the signature up."""
        on_time = [n for n in late if batch.time <= batch.leaves[n].issued_at + MERGE_DELAY_S]
        cause = IncidentReason.OUTAGE
        if on_time:
            cause = settle_cause(self.ports.private, batch.sequence, cause)
        if cause is not IncidentReason.OUTAGE and len(on_time) < len(late):
            yield IncidentReason.OUTAGE, [n for n in late if n not in on_time]
            late = on_time
        if late:
            yield cause if on_time else IncidentReason.OUTAGE, late

    def promise_of(self, sequence: int) -> Promise | None:
        """How the promise was kept up to a round, or None. Raises `LogHaltedError` if that is damaged."""
        name = promise_name(sequence)
        data = self.ports.private.read(name)
        return None if data is None else parse_promise(data, name)

    def _promise(self, head: Head, batch: Batch, signed: SignedRound) -> Promise:
        """How the promise was kept up to this round: as stored, or made from that of the round before.

        A log that has none before (it is older than they are) begins here.
        """
        private, name = self.ports.private, promise_name(head.sequence)
        data = private.read(name)
        if data is None:
            before = self.promise_of(head.sequence - 1)
            if before is None:
                self.ports.check_current(head)  # dropped once later rounds were public
            made = promise_after(before, batch.leaves, signed.checkpoint)
            with suppress(ObjectConflictError):  # another publisher was first: its bytes count
                private.create(name, made.format())
            data = private.read(name)
        if data is None:
            self.ports.check_current(head)
            raise StoreError(f"{name} was stored and is not there")
        promise = parse_promise(data, name)
        if promise.timestamp != signed.checkpoint.timestamp:
            raise LogHaltedError(f"{name} is not of the checkpoint that was signed")
        return promise

    def _drop_promise(self, sequence: int) -> None:
        """Keep this round's, for the next, and the one before, for publishers still at this round."""
        if sequence >= 2:
            self.ports.private.delete(promise_name(sequence - 2))

    def _bundle(self, sequence: int) -> dict[str, bytes]:
        """The bundle that this round's checkpoint fills."""
        number = sequence // layout.BUNDLED
        checkpoints: list[Checkpoint] = []
        for each in range(number * layout.BUNDLED, sequence + 1):
            signed = self.ports.read_signed(each)
            if signed is None:
                raise LogHaltedError(f"{signed_name(each)} is missing")
            checkpoints.append(signed.checkpoint)
        for one, other in itertools.pairwise(checkpoints):
            if other.prev_checkpoint_hash != one.hash():
                raise LogHaltedError(f"{signed_name(one.sequence)} is damaged: the next one names another")
        objects = [checkpoint.members() for checkpoint in checkpoints]
        return {layout.checkpoint_bundle_path(number): format_json(objects)}

    def _create(self, objects: Mapping[str, bytes]) -> None:
        items = list(objects.items())
        for at in range(0, len(items), _AT_ONCE):
            self.ports.public.create_many(dict(items[at : at + _AT_ONCE]))

    def _replace(self, name: str, data: bytes, head: Head) -> None:
        """Replace a mutable object: its tag first, then head again, then compare-and-swap on the tag."""
        for _ in range(_TRIES):
            current = self.ports.public.read_tagged(name)
            if current and current.data == data:
                return
            self.ports.check_current(head)
            try:
                self.ports.public.replace(name, data, current.tag if current else None)
            except StaleTagError:
                continue
            return
        raise StoreError(f"{name} was replaced by others {_TRIES} times in a row")
