"""The service: every use case, on whatever adapters it is put together with (`issuer.bootstrap.home`)."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from attestlayer.encoding import format_time
from issuer.adapters.local.scratch import Scratch
from issuer.audit.findings import AuditPorts
from issuer.errors import LogHaltedError
from issuer.intake.catalogue import Catalogue
from issuer.ledger.ledger import Ledger
from issuer.log.store import LogPorts
from issuer.ports import Clock, Entropy, ObjectStore, Transfers
from issuer.services.audit import Auditor
from issuer.services.collect import Collector
from issuer.services.deliver import Deliverer
from issuer.services.index import Indexer
from issuer.services.issue import Issuer
from issuer.services.notify import Notifier
from issuer.services.packet import Packets
from issuer.services.prove import Prover
from issuer.services.publish import SitePublisher
from issuer.services.qualify import Qualifications
from issuer.services.reconcile import Reconciler
from issuer.services.release import KitOfVerifiers
from issuer.services.sequence import Sequencer
from issuer.services.tidy import Tidier
from issuer.services.workspace import Workspaces
from issuer.settings import CloudSettings, Settings

CLOCK_DIFFERENCE_S = 5
"""Seconds by which own clock and the store's may differ."""


@dataclass(frozen=True)
class Service:
    """Every service of one log, on one set of adapters. `store_time`: the store's clock, if it has one."""

    origin: str
    settings: Settings | CloudSettings
    clock: Clock
    entropy: Entropy
    ledger: Ledger
    public: ObjectStore
    private: ObjectStore
    catalogue: Catalogue
    transfers: Transfers
    issuer: Issuer
    log: LogPorts
    scratch: Scratch
    store_time: Callable[[], float] | None = None

    @property
    def packets(self) -> Packets:
        """Packets and their records."""
        return Packets(
            ledger=self.ledger,
            private=self.private,
            public=self.public,
            catalogue=self.catalogue,
            clock=self.clock,
            entropy=self.entropy,
            scratch=self.scratch.path,
        )

    @property
    def workspaces(self) -> Workspaces:
        """Workspaces, credits, API keys."""
        return Workspaces(self.ledger, self.clock, self.entropy)

    @property
    def qualifications(self) -> Qualifications:
        """Requests to take part."""
        return Qualifications(self.ledger, self.clock, self.entropy)

    @property
    def sequencer(self) -> Sequencer:
        """The log's writer."""
        return Sequencer(self.log)

    @property
    def deliverer(self) -> Deliverer:
        """Finishes kits."""
        return Deliverer(self.ledger, self.private, self.public, self.clock, self.scratch.path)

    @property
    def prover(self) -> Prover:
        """Consistency proofs."""
        return Prover(self.public)

    @property
    def reconciler(self) -> Reconciler:
        """Ledger against log."""
        return Reconciler(self.ledger, self.private, self.public, self.clock)

    @property
    def auditor(self) -> Auditor:
        """The audit of private state."""
        return Auditor(AuditPorts(self.log, self.issuer.signers, self.scratch.path))

    @property
    def collector(self) -> Collector:
        """Partial tiles that nobody needs any more."""
        return Collector(self.public, self.private)

    @property
    def indexer(self) -> Indexer:
        """The look-up index."""
        return Indexer(self.public, self.private)

    @property
    def tidier(self) -> Tidier:
        """Private objects that nothing needs any more."""
        return Tidier(self.public, self.private, self.ledger, self.clock)

    @property
    def publisher(self) -> SitePublisher:
        """Intake policies and the site's pages."""
        from issuer.adapters.pages import JinjaPages  # 70 ms, which no other function has to wait for

        pages = JinjaPages(_site_folder())
        return SitePublisher(self.origin, self.settings.cadence_s, self.public, self.catalogue, pages)

    @property
    def kit_of_verifiers(self) -> KitOfVerifiers:
        """verify-kit.zip."""
        from issuer.adapters.release_files import ReleaseFiles

        return KitOfVerifiers(self.public, ReleaseFiles(_site_folder()))

    def publish(self) -> int:
        """Publish all that is not of a round; the kit first, whose hash the pages name. Returns changes."""
        return self.kit_of_verifiers.run() + self.publisher.run(int(self.clock.now()))

    @property
    def notifier(self) -> Notifier:
        """The operator's notices."""
        return Notifier(self.ledger)

    def check_clock(self) -> None:
        """Check own clock against the store's. Raises `LogHaltedError` if they differ by over 5 s."""
        if self.store_time is None:
            return
        before, store, after = self.clock.now(), self.store_time(), self.clock.now()
        # The store tells whole seconds, of some instant in between.
        if not before - CLOCK_DIFFERENCE_S - 1 <= store <= after + CLOCK_DIFFERENCE_S:
            raise LogHaltedError(
                f"the clock says {format_time(int(after))}, the store's {format_time(int(store))}: they "
                f"differ by over {CLOCK_DIFFERENCE_S} s, so no round is made"
            )


def _site_folder() -> Path:
    """Templates and assets: beside `functions` in the repository, beside this package in a function's zip."""
    beside = Path(__file__).parents[2] / "site"
    return beside if beside.is_dir() else Path(__file__).parents[3] / "site"
