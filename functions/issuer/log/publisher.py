"""Finishes a committed round: tiles, the signature, and everything that follows from it.

Any number of publishers may run the same round at once or after a crash. Each stores the objects that are
still missing, and all store the same bytes: `signed/<sequence>` is taken from the publisher that stored it
first, and the rest is a pure function of it and the batch (decision page "Order of writes").
"""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from attestlayer.canonical import format_json
from attestlayer.encoding import sha256
from attestlayer.log import layout
from attestlayer.log.checkpoint import Checkpoint
from attestlayer.log.notices import IncidentReason, Notices, parse_notices
from attestlayer.log.promises import MERGE_DELAY_S
from attestlayer.log.tool_texts import registry_key_objects
from attestlayer.log.trust import Keyring, read_notices
from issuer.errors import LogHaltedError, StaleTagError, StoreError
from issuer.log import face
from issuer.log.cause import settle_cause
from issuer.log.notice_queue import queue_late_merge
from issuer.log.promise import debit_id, returned
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

_AT_ONCE = 512
"""Objects stored by one call of `create_many`: bounds its memory and the work that a failure repeats."""

_TRIES = 8


@dataclass(frozen=True, slots=True)
class RoundContent:
    """The content of a committed round: its batch as read back from the store, and the tree with that batch.

    `keyring`: what its notices yield. `previous`: the signed round before it. Only the sequencer that has
    just committed the round sets it.
    """

    batch: Batch
    growth: Growth
    keyring: Keyring
    previous: SignedRound | None = None


@dataclass(frozen=True)
class Publisher:
    """Brings committed rounds to the public store.

    Safe to run again at any time, by any number of processes.
    """

    ports: LogPorts

    def bring_public(self, head: Head) -> SignedRound:
        """Head's signed round, which is public when this returns; it is finished first if need be.

        Raises `LogHaltedError` unless the public face belongs to this log and is at head or one round before
        it, `SupersededError` if it is ahead because head has moved on.
        """
        latest = face.read_latest(self.ports.public)
        if latest and latest.sequence > head.sequence:
            # `latest.json` is replaced last, so a face ahead of head means that head moved since it was read,
            # or that these are not the stores of one log. Signing now could give one size a second root.
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
        # Exactly one round may be unfinished: a new head is committed only when the last round is public.
        newest = (latest.sequence, latest.hash()) if latest else (-1, None)
        if newest != (head.sequence - 1, head.previous):
            raise LogHaltedError(
                f"the public checkpoint {newest[0]} is not the one before head {head.sequence}: the registry "
                "came from a backup, or is another log's. Nothing was signed; see the page on recovery"
            )
        return self.finish(head)

    def finish(self, head: Head, content: RoundContent | None = None) -> SignedRound:
        """Store whatever of head's round is not public yet.

        `content`: from the sequencer that has just committed the round; else it is read and checked again.
        Raises `LogHaltedError` if stored objects contradict each other, `SupersededError` if head moved on.
        """
        # The numbers are those of the decision page "Order of writes". The order must not change: a reader
        # that sees a checkpoint must find everything it speaks of (REG-1.0 section 11, rule 10).
        content = content or self._read_content(head)
        batch, growth, keyring = content.batch, content.growth, content.keyring
        # 3: tiles first. They follow from the batch alone, so a crash before the signature leaves nothing
        # that another publisher would not store as well; the proofs for witnesses are read from these tiles.
        self._create(growth.objects())
        # 4: from here on timestamp, signature and cosignatures are fixed for all publishers of the round.
        signed = RoundSigner(self.ports).sign(head, batch, keyring, content.previous)
        # 5: which leaves are late follows from the signed timestamp. Before the round is public: afterwards
        # nobody would come back to this round, and a crash would leave credits unreturned.
        self._give_back(batch, signed)
        # 6 and 7: create-only objects, which nothing refers to until 8.
        if batch.notices_changed:
            self._create({layout.notices_path(batch.notices.hash()): batch.notices.format()})
            self._create(registry_key_objects(keyring))
        self._create(dict(entry_objects(batch, signed, growth)) | consistency_object(batch, growth))
        self._create({layout.checkpoint_path(signed.checkpoint.hash()): signed.checkpoint.format()})
        if head.sequence % layout.BUNDLED == layout.BUNDLED - 1:
            self._create(self._bundle(head.sequence))
        # 8: `latest.json` is replaced last and marks the round as public.
        self._replace(views(batch, signed, keyring, head.promise, self.ports.cadence_s), head)
        return signed

    def read_notices(self, head: Head) -> Notices:
        """The notices that head names. Raises `LogHaltedError` if they are missing or damaged."""
        name = layout.notices_path(head.notices_hash)
        data = self.ports.public.read(name)
        if data is None:
            raise LogHaltedError(f"{name}, the notices that head names, is missing from the public store")
        # Objects named by a hash are checked against it: the next round extends and signs over these bytes.
        if sha256(data) != head.notices_hash:
            raise LogHaltedError(f"{name}, the notices that head names, is damaged: bring that object back")
        return parse_notices(data)

    def read_growth(self, head: Head, batch: Batch) -> Growth:
        """The tree with a batch, from the public tiles.

        Raises `LogHaltedError`, `SupersededError` as `finish`.
        """
        try:
            return Growth(face.read_edge(self.ports.public, batch.before), batch)
        except LogHaltedError:
            self.ports.check_current(head)  # tiles of an older tree may have been collected
            raise

    def _read_content(self, head: Head) -> RoundContent:
        batch = self._read_batch(head)
        growth = self.read_growth(head, batch)
        if growth.head() != head.tree:
            raise LogHaltedError(
                f"the tiles of round {head.sequence} do not make the root that was committed"
            )
        return RoundContent(batch, growth, read_notices(batch.notices))

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
        """For leaves merged after their `merge_by`: queue a public incident and return the credits.

        Notices are queued once by their content, credits returned once by their id: repeating is harmless.
        """
        ledger, timestamp = self.ports.ledger, signed.checkpoint.timestamp
        # REG-1.0 section 11, rule 6: at most 600 s from `issued_at` to the checkpoint's timestamp.
        late = [n for n, leaf in enumerate(batch.leaves) if timestamp > leaf.issued_at + MERGE_DELAY_S]
        first = batch.before.size
        for reason, part in self._reasons(batch, late):
            queue_late_merge(ledger, batch.notices, first + part[0], first + part[-1], reason)
        for n in late:
            leaf_hash = batch.leaves[n].hash()
            paid_from = ledger.credit_entry(debit_id(leaf_hash)) or ledger.waiting_leaf(leaf_hash)
            if paid_from:
                ledger.post_credits(returned(paid_from, leaf_hash, timestamp))

    def _reasons(self, batch: Batch, late: list[int]) -> Iterator[tuple[IncidentReason, list[int]]]:
        """Reasons and positions of late leaves, oldest first.

        Leaves that were late when the batch was made are late because of an outage. Younger ones became late
        between batch and signature: for those the round's stored cause counts.
        """
        on_time = [n for n in late if batch.time <= batch.leaves[n].issued_at + MERGE_DELAY_S]
        cause = IncidentReason.OUTAGE
        # Leaves are in order of `issued_at`, so both groups are runs of positions: one incident covers each.
        if on_time:
            cause = settle_cause(self.ports.private, batch.sequence, cause)
        if cause is not IncidentReason.OUTAGE and len(on_time) < len(late):
            yield IncidentReason.OUTAGE, [n for n in late if n not in on_time]
            late = on_time
        if late:
            yield cause if on_time else IncidentReason.OUTAGE, late

    def _bundle(self, sequence: int) -> dict[str, bytes]:
        """The bundle of 256 checkpoints that this round completes, by name (REG-1.0 section 10.1)."""
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
        """Replace the mutable objects in their order, unless head has moved on (`SupersededError`)."""
        for _ in range(_TRIES):
            # Tags before head: if a later round is committed after head was read here, its publisher changes
            # the objects and so their tags, and the swaps below fail. With head read first, a publisher that
            # stalled in between would see new tags and put the old round in place of a newer one.
            current = {name: self.ports.public.read_tagged(name) for name in objects}
            others = {
                name: stored for name, stored in current.items() if not stored or stored.data != objects[name]
            }
            if not others:
                return
            self.ports.check_current(head)
            try:
                for name, stored in others.items():
                    self.ports.public.replace(name, objects[name], stored.tag if stored else None)
            except StaleTagError:
                continue
            return
        raise StoreError(f"{', '.join(others)}: replaced by others {_TRIES} times in a row")
