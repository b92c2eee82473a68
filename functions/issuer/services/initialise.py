"""Starts a log: the genesis batch with the first notices, head, checkpoint 0. Run again, it continues."""

from collections.abc import Sequence
from dataclasses import dataclass

from attestlayer.keys import PublicKey
from attestlayer.log import layout
from attestlayer.log.checkpoint import Checkpoint
from attestlayer.log.merkle import Edge
from attestlayer.log.notices import Notices, Role, key_added
from issuer.errors import LogHaltedError, StaleTagError
from issuer.log.publisher import Publisher
from issuer.log.state import HEAD, Batch, Head, parse_head
from issuer.log.store import LogPorts, SupersededError


@dataclass(frozen=True)
class Initialiser:
    """Makes the genesis of a log, once: it never replaces a head or starts over from a lost one."""

    ports: LogPorts

    def run(self, issuers: Sequence[PublicKey]) -> Checkpoint:
        """Publish checkpoint 0, or finish the round that is at head. Returns the newest checkpoint.

        `issuers`: the first issuer keys. Raises `LogHaltedError` if the log lost its state: there is a public
        checkpoint but no head, or the ledger has seen later rounds. Raises what `Publisher.finish` raises.
        """
        noted = self.ports.ledger.noted_round()
        before = self.ports.private.read(HEAD)
        self.ports.begin_attempt(parse_head(before).batch_time if before else None)
        head = self._head(issuers, noted)
        if head.origin != self.ports.origin:
            raise LogHaltedError(f"this home holds the log {head.origin}, wanted {self.ports.origin}")
        self.ports.check_ledger(head, noted)
        try:
            return Publisher(self.ports).bring_public(head).checkpoint
        except SupersededError:  # rounds are being made already: start over from the new head
            return self.run(issuers)

    def _head(self, issuers: Sequence[PublicKey], noted: int) -> Head:
        private, public = self.ports.private, self.ports.public
        # Before head is read: another initialiser stores head before it publishes anything. Read the other
        # way round, its fresh checkpoint would look like one whose head was lost.
        face = public.exists(layout.CHECKPOINT) or public.exists(layout.LATEST)
        stored = private.read(HEAD)
        if stored is None:
            if face:
                raise LogHaltedError(
                    "there is a public checkpoint but no head: a log that lost its head never starts anew. "
                    "See the page on recovery"
                )
            if noted > 0:
                raise LogHaltedError(
                    f"the ledger has seen round {noted} and there is no head: the log's stores are lost, or "
                    "are others now. A key never signs a second log; see the page on recovery"
                )
            self._store_genesis(issuers)
            stored = private.read(HEAD)
        if stored is None:
            raise LogHaltedError("head was stored and is not there")
        return parse_head(stored)

    def _store_genesis(self, issuers: Sequence[PublicKey]) -> None:
        time = self.ports.grid_time()
        registries = [signer.public for signer in self.ports.signers.values()]
        keys = [(Role.REGISTRY, key) for key in registries] + [(Role.ISSUER, key) for key in issuers]
        added = [key_added(role, key, time) for role, key in keys]
        notices = Notices(self.ports.origin, ()).extended(time, added)
        empty = Edge().head()
        batch = Batch(0, time, empty, (), notices, notices_changed=True)
        # The order of every round: batch, ledger, head (decision page "Order of writes").
        self.ports.private.create(batch.name, batch.format())
        head = Head(self.ports.origin, 0, empty, (), notices.hash(), time, batch.name, None, None, None)
        self.ports.ledger.note_round(0)
        try:
            self.ports.private.replace(HEAD, head.format(), None)
        except StaleTagError:
            return  # another initialiser was faster: its genesis counts, this batch is garbage
