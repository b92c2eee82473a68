"""A round of the log: takes waiting leaves, commits a batch, then has it signed and published.

The log is safe because of the order of writes (decision page "Order of writes"). Nothing is signed before the
batch is durable, read back, its root computed in a second way and committed by compare-and-swap on head. Once
`signed/<sequence>` is stored, everything else is a pure function of it and the batch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from attestlayer.encoding import format_time
from attestlayer.log import layout
from attestlayer.log.checkpoint import Checkpoint
from attestlayer.log.leaf import Leaf, parse_entry
from attestlayer.log.merkle import Edge, leaf_hash
from attestlayer.log.notices import Notices
from issuer.errors import LogHaltedError, StaleTagError, StoreError
from issuer.log import face
from issuer.log.notice_queue import take_queued
from issuer.log.promise import promise_after
from issuer.log.publication import Growth
from issuer.log.publisher import Publisher, RoundContent
from issuer.log.signing import RoundSigner
from issuer.log.state import HEAD, Batch, Head, parse_batch, parse_head
from issuer.log.store import LogPorts, SupersededError
from issuer.model import QueuedNotice, WaitingLeaf
from issuer.ports import Tagged

MAX_LEAVES = 4096
"""Leaves of one round at most, which bounds its time and memory. The rest waits for the next round."""

CLOCK_BACK_S = 300
"""Seconds that the newest checkpoint may be ahead of the clock: rounds pause during a small step back."""

_WAIT_SHARE = 12
"""A run that starts in the last twelfth of a cadence waits for the next instant of the grid."""


class RoundOutcome(StrEnum):
    """How a run ended: it published a round, none was due yet, or another writer committed it."""

    PUBLISHED = "published"
    NOT_DUE = "not-due"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class RoundReport:
    """Result of a run. `checkpoint`: the newest public one. `leaves`: how many the run's round added."""

    outcome: RoundOutcome
    checkpoint: Checkpoint | None
    leaves: int = 0


@dataclass(frozen=True)
class Sequencer:
    """Writes the log. Any number may run at once on any machines: exactly one of them commits each round."""

    ports: LogPorts

    def run(self) -> RoundReport:
        """Finish head's round if it is not public yet, then make the next one if it is due.

        Raises `LogHaltedError` if going on could fork the log, `ServiceError` (KEY_UNUSABLE), `StoreError`.
        Running it again is always safe.
        """
        try:
            return self._run()
        except SupersededError:
            return RoundReport(RoundOutcome.LOST, face.read_latest(self.ports.public))

    def _run(self) -> RoundReport:
        publisher = Publisher(self.ports)
        # The ledger before head: rounds may be committed in between, and then the ledger only seems to lag,
        # which `check_ledger` settles by a second read. The other way round it would seem to be ahead.
        noted = self.ports.ledger.noted_round()
        stored, head = self._read_head()
        self.ports.check_ledger(head, noted)
        # Before an unfinished round too, which is signed with the time of now.
        self.ports.begin_attempt(head.batch_time)
        # One unfinished round at most: the next batch needs this one's tiles, checkpoint hash and notices.
        before = publisher.bring_public(head)
        last = before.checkpoint
        time = self._wait_for_grid()
        if time <= last.timestamp:
            self._check_clock(last)
            return RoundReport(RoundOutcome.NOT_DUE, last)
        notices = take_queued(publisher.read_notices(head), time, self.ports.ledger.queued_notices())
        batch = self._make_batch(head, notices.notices, time)
        # Before the commit: a committed batch can't be taken back. If its notices name a registry key that is
        # not at hand, no publisher could ever sign the round, and the log would stop for good.
        RoundSigner(self.ports).signers_at(notices.keyring, time)
        following, growth = self._prepare(publisher, head, last, batch)
        if not self._commit(stored, following):
            return RoundReport(RoundOutcome.LOST, last)
        content = RoundContent(batch, growth, notices.keyring, before)
        signed = publisher.finish(following, content)
        # Last: a publisher that resumes this round after a crash still needs the batch.
        self._clean_up(head, notices.settled)
        return RoundReport(RoundOutcome.PUBLISHED, signed.checkpoint, len(batch.leaves))

    def _read_head(self) -> tuple[Tagged, Head]:
        stored = self.ports.private.read_tagged(HEAD)
        if stored is None:
            beside = " beside a public checkpoint" if self.ports.public.read(layout.CHECKPOINT) else ""
            raise LogHaltedError(
                f"there is no head{beside}: `issuer init` starts a log, and no lost head is ever made anew"
            )
        head = parse_head(stored.data)
        # The origin is part of every signed note: signing under another one would start a second log.
        if head.origin != self.ports.origin:
            raise LogHaltedError(f"this home holds the log {head.origin}, wanted {self.ports.origin}")
        return stored, head

    def _check_clock(self, last: Checkpoint) -> None:
        """Check that a round will be due within `CLOCK_BACK_S`, since timestamps never go back.

        Raises `LogHaltedError`.
        """
        ahead = int(last.timestamp - self.ports.clock.now())
        if ahead > CLOCK_BACK_S:
            newest = format_time(last.timestamp)
            raise LogHaltedError(
                f"the newest checkpoint's time {newest} is {ahead} s ahead of the clock: the clock went "
                "back, or was wrong then. There is no round until it has caught up"
            )

    def _wait_for_grid(self) -> int:
        """The time of a round made now, on the grid. Waits up to a twelfth of a cadence for the next instant.

        A scheduler that fires a little early would otherwise miss a checkpoint each time.
        """
        clock, cadence = self.ports.clock, self.ports.cadence_s
        following = self.ports.grid_time() + cadence
        if following - clock.now() <= cadence / _WAIT_SHARE:
            while (left := following - clock.now()) > 0:
                clock.sleep(left)
        return self.ports.grid_time()

    def _make_batch(self, head: Head, notices: Notices, time: int) -> Batch:
        return Batch(
            sequence=head.sequence + 1,
            time=time,
            before=head.tree,
            leaves=self._take_leaves(time),
            notices=notices,
            notices_changed=notices.hash() != head.notices_hash,
        )

    def _take_leaves(self, time: int) -> tuple[Leaf, ...]:
        """Up to `MAX_LEAVES` waiting leaves that are not in the log, in the log's order.

        Leaves that are public already are noted as merged in the ledger, so that the next round does not
        look them up again even if their kits can never be finished.
        """
        ledger, merged, taken = self.ports.ledger, set[bytes](), dict[bytes, WaitingLeaf]()
        while len(taken) < MAX_LEAVES:
            page = ledger.unmerged_leaves(time, MAX_LEAVES)
            fresh = [each for each in page if each.leaf_hash not in merged | taken.keys()]
            public = [each.leaf_hash for each in fresh if self._is_merged(each)]
            merged.update(public)
            taken.update({each.leaf_hash: each for each in fresh if each.leaf_hash not in merged})
            # No public leaf on the page: it held all there is, or enough for a round. Else noting them makes
            # room on the next page. A note is written only after the receipt was seen in the public store.
            if not public:
                break
            ledger.note_merged(public)
        # REG-1.0 section 11, rule 5.
        ordered = sorted(taken.values(), key=lambda each: (each.issued_at, each.leaf_hash))
        return tuple(_take_leaf(waiting) for waiting in ordered[:MAX_LEAVES])

    def _is_merged(self, waiting: WaitingLeaf) -> bool:
        # Only a public leaf has a receipt, and each round is public before the next one takes leaves: so no
        # leaf enters the log twice.
        return self.ports.public.exists(layout.inclusion_path(waiting.leaf_hash))

    def _prepare(
        self, publisher: Publisher, head: Head, last: Checkpoint, batch: Batch
    ) -> tuple[Head, Growth]:
        """Store the batch, read it back and compute the next root in two ways. Signs nothing.

        Returns the head to commit, and the tree from which the round is published.
        """
        # First way: head's edge and the leaves in memory (RFC 9162 section 2.1.2).
        edge = Edge(head.tree.size, head.edge)
        for leaf in batch.leaves:
            edge.append(leaf.hash())
        stored = batch if batch.is_empty else self._store(head, batch)
        # Second way: the public tiles and the batch as read back. A bit that flips in memory or in a store
        # makes the two differ now, before a signature covers the wrong root.
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
        """Store the batch.

        Returns it as read back: publishers after a crash have nothing but the stored bytes.
        """
        # Create-only and named by its hash: a batch that head never names is garbage, not a conflict.
        self.ports.private.create(batch.name, batch.format())
        stored = self.ports.private.read(batch.name)
        if stored is None:
            self.ports.check_current(head)  # a later round's writer may have deleted it
            raise StoreError(f"{batch.name} was stored and is not there")
        return parse_batch(stored, batch.name, batch.notices)

    def _commit(self, stored: Tagged, following: Head) -> bool:
        """Commit the round: compare-and-swap head. Returns whether head is ours.

        An unclear answer is settled by reading head again. Raises `StoreError` if nothing was changed.
        """
        data = following.format()
        # The ledger first: if both stores are later restored from one backup, they agree with each other, and
        # only the ledger knows that a later round may have been signed.
        self.ports.ledger.note_round(following.sequence)
        try:
            self.ports.private.replace(HEAD, data, stored.tag)
        except StaleTagError:
            # Equal bytes: our own swap, whose answer was lost, or another writer's with the very same batch.
            return self.ports.private.read(HEAD) == data
        except StoreError:
            current = self.ports.private.read(HEAD)
            if current == stored.data:
                raise
            return current == data
        return True

    def _clean_up(self, before: Head, settled: Sequence[QueuedNotice]) -> None:
        """Delete the previous batch and drop notices from the queue that stand in the published document.

        Signed rounds stay: a publisher that stalled before signing an old round would sign it a second time
        if its `signed/` object were gone. Lists nothing; what a crash leaves here is deleted by
        `services.tidy`.
        """
        if before.batch is not None:
            self.ports.private.delete(before.batch)
        for notice in settled:
            self.ports.ledger.drop_notice(notice)


def _take_leaf(waiting: WaitingLeaf) -> Leaf:
    # RFC 9162 section 2.1.1: SHA-256(0x00 || entry). The partner's receipt names this hash.
    if leaf_hash(waiting.entry) != waiting.leaf_hash:
        raise LogHaltedError("a waiting leaf's entry does not hash to its name: the ledger is damaged")
    return parse_entry(waiting.entry)
