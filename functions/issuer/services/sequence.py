"""A round of the log: takes waiting leaves, commits a batch, has it signed and published.

The order of writes is the log's safety (decision page "Order of writes"): nothing is signed before
the batch is durable, read back, recomputed by a second path and committed by compare-and-swap on head;
once `signed/<sequence>` is stored, all else is a pure function of it and the batch.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from attestlayer.canonical import format_json
from attestlayer.encoding import format_time
from attestlayer.log import layout
from attestlayer.log.checkpoint import Checkpoint
from attestlayer.log.leaf import Leaf, parse_entry
from attestlayer.log.merkle import Edge, leaf_hash
from attestlayer.log.notices import Notices
from attestlayer.log.trust import read_notices
from issuer.errors import LogHaltedError, StaleTagError, StoreError
from issuer.log import face
from issuer.log.promise import promise_after
from issuer.log.publication import Growth
from issuer.log.publisher import Prepared, Publisher
from issuer.log.signing import RoundSigner
from issuer.log.state import HEAD, Batch, Head, parse_batch, parse_head, with_queued
from issuer.log.store import LogPorts, SupersededError
from issuer.model import QueuedNotice, WaitingLeaf
from issuer.ports import Tagged

MAX_LEAVES = 4096
"""Leaves of one round: bounds its work; the rest waits for the next one."""

CLOCK_BACK_S = 300
"""Seconds that the newest checkpoint may be ahead of the clock: small steps back are waited out."""

_WAIT_SHARE = 12
"""A run within a twelfth of the cadence before the next instant of the grid waits for it."""


class Outcome(StrEnum):
    """How a round ended."""

    PUBLISHED = "published"
    NOT_DUE = "not-due"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class RoundReport:
    """What a run did: its outcome, the checkpoint that is public now, the number of leaves it took."""

    outcome: Outcome
    checkpoint: Checkpoint | None
    leaves: int = 0


@dataclass(frozen=True)
class Sequencer:
    """Writes the log. Any number may run at once, anywhere: one of them wins each round."""

    ports: LogPorts

    def run(self) -> RoundReport:
        """Finish head's round if need be, then make the next one if it is due.

        Raises `LogHaltedError` if going on could fork the log, `StoreError` if storage fails; running it
        again is always right.
        """
        try:
            return self._run()
        except SupersededError:
            return RoundReport(Outcome.LOST, face.read_latest(self.ports.public))

    def _run(self) -> RoundReport:
        publisher = Publisher(self.ports)
        noted = self.ports.ledger.noted_round()
        stored, head = self._read_head()
        self.ports.check_ledger(head, noted)
        before = publisher.bring_public(head)
        last = before.checkpoint
        time = self._wait_for_grid()
        if time <= last.timestamp:
            self._check_clock(last)
            return RoundReport(Outcome.NOT_DUE, last)
        queued = self.ports.ledger.queued_notices()
        batch = self._make_batch(head, publisher.read_notices(head), queued, time)
        # Notices that can't be signed under would hold the log up for ever.
        RoundSigner(self.ports).signers_at(read_notices(batch.notices), time)
        following, growth = self._prepare(publisher, head, last, batch)
        if not self._commit(stored, following):
            return RoundReport(Outcome.LOST, last)
        signed = publisher.finish(following, Prepared(batch, growth, before))
        self._clean_up(head, batch, queued)
        return RoundReport(Outcome.PUBLISHED, signed.checkpoint, len(batch.leaves))

    def _read_head(self) -> tuple[Tagged, Head]:
        stored = self.ports.private.read_tagged(HEAD)
        if stored is None:
            beside = " beside a public checkpoint" if self.ports.public.read(layout.CHECKPOINT) else ""
            raise LogHaltedError(
                f"there is no head{beside}: `issuer init` starts a log, and no lost head is ever made anew"
            )
        head = parse_head(stored.data)
        if head.origin != self.ports.origin:
            raise LogHaltedError(f"this home holds the log {head.origin}, wanted {self.ports.origin}")
        return stored, head

    def _check_clock(self, last: Checkpoint) -> None:
        """Raises `LogHaltedError` if no round will be due for long: timestamps never go back."""
        ahead = int(last.timestamp - self.ports.clock.now())
        if ahead > CLOCK_BACK_S:
            newest = format_time(last.timestamp)
            raise LogHaltedError(
                f"the newest checkpoint's time {newest} is {ahead} s ahead of the clock: the clock went "
                "back, or was wrong then. There is no round until it has caught up"
            )

    def _wait_for_grid(self) -> int:
        clock, cadence = self.ports.clock, self.ports.cadence_s
        following = self.ports.grid_time() + cadence
        if following - clock.now() <= cadence / _WAIT_SHARE:
            while (left := following - clock.now()) > 0:
                clock.sleep(left)
        return self.ports.grid_time()

    def _make_batch(self, head: Head, notices: Notices, queued: Sequence[QueuedNotice], time: int) -> Batch:
        extended = notices
        for each in queued:
            with suppress(ValueError):  # stays in the queue: `issuer audit` names it
                extended = with_queued(extended, time, each)
        return Batch(
            sequence=head.sequence + 1,
            time=time,
            before=head.tree,
            leaves=self._take_leaves(time),
            notices=extended,
            notices_changed=extended != notices,
        )

    def _take_leaves(self, time: int) -> tuple[Leaf, ...]:
        """Waiting leaves in the log's order. One that is in the log already is noted as such: the next
        round does not look for it again, however long its kit can't be finished."""
        ledger, merged, taken = self.ports.ledger, set[bytes](), dict[bytes, WaitingLeaf]()
        while len(taken) < MAX_LEAVES:
            page = ledger.unmerged_leaves(time, MAX_LEAVES)
            fresh = [each for each in page if each.leaf_hash not in merged | taken.keys()]
            found = [each.leaf_hash for each in fresh if self._is_merged(each)]
            merged.update(found)
            taken.update({each.leaf_hash: each for each in fresh if each.leaf_hash not in merged})
            if not found:
                break
            ledger.note_merged(found)
        ordered = sorted(taken.values(), key=lambda each: (each.issued_at, each.leaf_hash))
        return tuple(_take_leaf(waiting) for waiting in ordered[:MAX_LEAVES])

    def _is_merged(self, waiting: WaitingLeaf) -> bool:
        return self.ports.public.exists(layout.inclusion_path(waiting.leaf_hash))

    def _prepare(
        self, publisher: Publisher, head: Head, last: Checkpoint, batch: Batch
    ) -> tuple[Head, Growth]:
        """Store the batch, read it back, recompute its root by the second path. Signs nothing."""
        edge = Edge(head.tree.size, head.edge)
        for leaf in batch.leaves:
            edge.append(leaf.hash())
        stored = batch if batch.is_empty else self._store(head, batch)
        growth = publisher.read_growth(head, stored)
        if growth.head() != edge.head():
            raise LogHaltedError("two ways of computing the next root disagree: nothing was signed")
        following = Head(
            origin=head.origin,
            sequence=batch.sequence,
            tree=edge.head(),
            edge=tuple(edge.hashes),
            notices_hash=batch.notices.hash(),
            batch_time=batch.time,
            batch=None if batch.is_empty else batch.name,
            oldest=batch.oldest,
            previous=last.hash(),
            promise=promise_after(head.promise, head.oldest, last),
        )
        return following, growth

    def _store(self, head: Head, batch: Batch) -> Batch:
        """Store the batch and read it back."""
        self.ports.private.create(batch.name, batch.format())
        stored = self.ports.private.read(batch.name)
        if stored is None:
            self.ports.check_current(head)  # others may have gone on and cleaned up
            raise StoreError(f"{batch.name} was stored and is not there")
        return parse_batch(stored, batch.name)

    def _commit(self, stored: Tagged, following: Head) -> bool:
        """Compare-and-swap head. An unclear answer is settled by reading head again."""
        data = following.format()
        self.ports.ledger.note_round(following.sequence)
        try:
            self.ports.private.replace(HEAD, data, stored.tag)
        except StaleTagError:
            return self.ports.private.read(HEAD) == data
        except StoreError:
            found = self.ports.private.read(HEAD)
            if found == stored.data:
                raise
            return found == data
        return True

    def _clean_up(self, before: Head, batch: Batch, queued: Sequence[QueuedNotice]) -> None:
        """The batch before and published notices are needed no more. Signed rounds stay: they are the chain.

        By name: a round lists nothing. What a crash leaves behind here is `services.tidy`'s.
        """
        if before.batch is not None:
            self.ports.private.delete(before.batch)
        published = {(notice.type.value, format_json(notice.data)) for notice in batch.notices.notices}
        for each in queued:
            if (each.type, each.data) in published:
                self.ports.ledger.drop_notice(each)


def _take_leaf(waiting: WaitingLeaf) -> Leaf:
    if leaf_hash(waiting.entry) != waiting.leaf_hash:
        raise LogHaltedError("a waiting leaf's entry does not hash to its name: the ledger is damaged")
    return parse_entry(waiting.entry)
