"""Finishes a committed round: tiles, the signature, and everything that follows from it.

Any number of publishers may run the same round, after any crash: what is not yet stored they store,
and it is the same bytes, since `signed/<sequence>` is taken from whoever stored it first.
"""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from attestlayer.canonical import format_json
from attestlayer.encoding import sha256
from attestlayer.log import layout
from attestlayer.log.checkpoint import Checkpoint
from attestlayer.log.notices import IncidentReason, Notices, late_merge, parse_notices
from attestlayer.log.promises import MERGE_DELAY_S
from attestlayer.log.trust import read_notices
from issuer.errors import LogHaltedError, StaleTagError, StoreError
from issuer.log import face
from issuer.log.cause import settle_cause
from issuer.log.promise import debit_id, promise_after, returned
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


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a committed round is published from: its batch as it was read back, and the tree it makes.

    `previous`: the signed round before, if who committed this one has it at hand.
    """

    batch: Batch
    growth: Growth
    previous: SignedRound | None = None


@dataclass(frozen=True)
class Publisher:
    """Finishes rounds."""

    ports: LogPorts

    def bring_public(self, head: Head) -> SignedRound:
        """Head's round: the public one, or the one that is finished now.

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
            return signed
        behind = (latest.sequence, latest.hash()) if latest else (-1, None)
        if behind != (head.sequence - 1, head.previous):
            raise LogHaltedError(
                f"the public checkpoint {behind[0]} is not the one before head {head.sequence}: the registry "
                "came from a backup, or is another log's. Nothing was signed; see the page on recovery"
            )
        return self.finish(head)

    def finish(self, head: Head, prepared: Prepared | None = None) -> SignedRound:
        """Bring head's round to the public, whatever of it is there already.

        `prepared`: from who has just committed it. Raises `LogHaltedError` if what it reads does not agree,
        `SupersededError` if head has moved on.
        """
        prepared = prepared or self._read_prepared(head)
        batch, growth = prepared.batch, prepared.growth
        self._create(growth.objects())
        keyring = read_notices(batch.notices)
        signed = RoundSigner(self.ports).sign(head, batch, keyring, prepared.previous)
        self._give_back(batch, signed)
        if batch.notices_changed:
            self._create({layout.notices_path(batch.notices.hash()): batch.notices.format()})
        self._create(dict(entry_objects(batch, signed, growth)) | consistency_object(batch, growth))
        self._create({layout.checkpoint_path(signed.checkpoint.hash()): signed.checkpoint.format()})
        if head.sequence % layout.BUNDLED == layout.BUNDLED - 1:
            self._create(self._bundle(head.sequence))
        promise = promise_after(head.promise, head.oldest, signed.checkpoint)
        self._replace(views(batch, signed, keyring, promise, self.ports.cadence_s), head)
        return signed

    def read_notices(self, head: Head) -> Notices:
        """The notices that head names. Raises `LogHaltedError` if they are missing or damaged."""
        name = layout.notices_path(head.notices_hash)
        data = self.ports.public.read(name)
        if data is None:
            raise LogHaltedError(f"{name}, the notices that head names, is missing from the public store")
        if sha256(data) != head.notices_hash:
            raise LogHaltedError(f"{name}, the notices that head names, is damaged: bring that object back")
        return parse_notices(data)

    def read_growth(self, head: Head, batch: Batch) -> Growth:
        """The tree that a batch makes, from the public tiles. Raises `SupersededError` as `finish`."""
        try:
            return Growth(face.read_edge(self.ports.public, batch.before), batch)
        except LogHaltedError:
            self.ports.check_current(head)  # tiles of an older tree may have been collected
            raise

    def _read_prepared(self, head: Head) -> Prepared:
        batch = self._read_batch(head)
        growth = self.read_growth(head, batch)
        if growth.head() != head.tree:
            raise LogHaltedError(
                f"the tiles of round {head.sequence} do not make the root that was committed"
            )
        return Prepared(batch, growth)

    def _read_batch(self, head: Head) -> Batch:
        if head.batch is None:
            notices = self.read_notices(head)
            return Batch(head.sequence, head.batch_time, head.tree, (), notices, notices_changed=False)
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

    def _replace(self, objects: Mapping[str, bytes], head: Head) -> None:
        """Replace mutable objects in order: their tags first, then head again, then compare-and-swap."""
        for _ in range(_TRIES):
            current = {name: self.ports.public.read_tagged(name) for name in objects}
            others = {
                name: found for name, found in current.items() if not found or found.data != objects[name]
            }
            if not others:
                return
            self.ports.check_current(head)
            try:
                for name, found in others.items():
                    self.ports.public.replace(name, objects[name], found.tag if found else None)
            except StaleTagError:
                continue
            return
        raise StoreError(f"{', '.join(others)}: replaced by others {_TRIES} times in a row")
