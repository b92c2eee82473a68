"""The service: every use case on one set of adapters, which `issuer.bootstrap.home` or `cloud` opens."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from issuer.adapters.local.scratch import Scratch
from issuer.audit.findings import AuditPorts
from issuer.intake.catalogue import Catalogue
from issuer.ledger.ledger import Ledger
from issuer.log.store import LogPorts
from issuer.log.watch import ClockWatch
from issuer.model import KitRegistry
from issuer.ports import BinderRenderer, Clock, Entropy, Examiner, ObjectStore, Signer, Transfers
from issuer.services.audit import Auditor
from issuer.services.collect import Collector
from issuer.services.deliver import Deliverer
from issuer.services.index import Indexer
from issuer.services.initialise import Initialiser
from issuer.services.issue import Issuer
from issuer.services.notify import Notifier
from issuer.services.packet import Packets
from issuer.services.probe import Probe
from issuer.services.prove import Prover
from issuer.services.publish import SitePublisher
from issuer.services.qualify import Qualifications
from issuer.services.reconcile import Reconciler
from issuer.services.release import KitOfVerifiers
from issuer.services.sequence import Sequencer
from issuer.services.tidy import Tidier
from issuer.services.workspace import Workspaces
from issuer.settings import CloudSettings, Settings, verify_page_of


@dataclass(frozen=True)
class Service:
    """All use cases of one log. Each is made when asked for and keeps no state.

    Signers are found by kid. `watch`: remembers this process's last attempt at a round.
    """

    origin: str
    settings: Settings | CloudSettings
    clock: Clock
    entropy: Entropy
    ledger: Ledger
    public: ObjectStore
    private: ObjectStore
    catalogue: Catalogue
    transfers: Transfers
    examiner: Examiner
    renderer: BinderRenderer
    issuer_signers: Mapping[str, Signer]
    registry_signers: Mapping[str, Signer]
    scratch: Scratch | None
    watch: ClockWatch

    @property
    def scratch_path(self) -> Path | None:
        """The folder for unfinished files; None for the machine's own, if the home is read-only."""
        return self.scratch.path if self.scratch else None

    @property
    def issuer(self) -> Issuer:
        """Issues a kit for a packet, or says what blocks it."""
        return Issuer(
            registry=KitRegistry(self.origin, self.settings.verify_page or verify_page_of(self.origin)),
            ledger=self.ledger,
            private=self.private,
            public=self.public,
            catalogue=self.catalogue,
            signers=self.issuer_signers,
            examiner=self.examiner,
            renderer=self.renderer,
            clock=self.clock,
            entropy=self.entropy,
            scratch=self.scratch_path,
        )

    @property
    def log(self) -> LogPorts:
        """The ports that rounds, audits and genesis work on."""
        return LogPorts(
            origin=self.origin,
            cadence_s=self.settings.cadence_s,
            public=self.public,
            private=self.private,
            ledger=self.ledger,
            signers=self.registry_signers,
            clock=self.clock,
            watch=self.watch,
        )

    @property
    def packets(self) -> Packets:
        """Opens packets, takes their records, checks them against the policy."""
        return Packets(
            ledger=self.ledger,
            private=self.private,
            public=self.public,
            catalogue=self.catalogue,
            examiner=self.examiner,
            clock=self.clock,
            entropy=self.entropy,
            scratch=self.scratch_path,
        )

    @property
    def workspaces(self) -> Workspaces:
        """Provisions workspaces, grants credits, makes and checks API keys."""
        return Workspaces(self.ledger, self.clock, self.entropy)

    @property
    def qualifications(self) -> Qualifications:
        """Receives partners' requests to take part, and the operator's decisions."""
        return Qualifications(self.ledger, self.clock, self.entropy)

    @property
    def sequencer(self) -> Sequencer:
        """Makes rounds of the log."""
        return Sequencer(self.log)

    @property
    def deliverer(self) -> Deliverer:
        """Finishes and verifies kits whose leaves are public."""
        return Deliverer(self.ledger, self.private, self.public, self.clock, self.scratch_path)

    @property
    def prover(self) -> Prover:
        """Computes consistency proofs for pairs of sizes that no round stored."""
        return Prover(self.public)

    @property
    def reconciler(self) -> Reconciler:
        """Compares the ledger with the log (`issuer reconcile`)."""
        return Reconciler(self.ledger, self.private, self.public, self.clock)

    @property
    def auditor(self) -> Auditor:
        """Audits private state (`issuer audit`)."""
        return Auditor(AuditPorts(self.log, self.issuer.signers, self.scratch_path))

    @property
    def collector(self) -> Collector:
        """Deletes partial tiles a day after their full tiles are public."""
        return Collector(self.public, self.private)

    @property
    def indexer(self) -> Indexer:
        """Extends the look-up index to the newest checkpoint."""
        return Indexer(self.public, self.private)

    @property
    def tidier(self) -> Tidier:
        """Deletes old batches, and records and kits past their retention."""
        return Tidier(self.public, self.private, self.ledger, self.clock)

    @property
    def publisher(self) -> SitePublisher:
        """Publishes intake policies and the site's pages."""
        from issuer.adapters.pages import JinjaPages  # takes 70 ms, and only publishing needs it

        pages = JinjaPages(_site_folder())
        return SitePublisher(self.origin, self.settings.cadence_s, self.public, self.catalogue, pages)

    @property
    def kit_of_verifiers(self) -> KitOfVerifiers:
        """Builds and publishes verify-kit.zip when the trust root or the release changed."""
        from issuer.adapters.release_files import ReleaseFiles

        return KitOfVerifiers(self.public, ReleaseFiles(_site_folder()))

    @property
    def probe(self) -> Probe:
        """Tries whether the stores honour the conditions of writes."""
        return Probe(self.public, self.private, self.entropy)

    def start(self) -> None:
        """Start the log and publish what is not of a round; begun before, go on. Raises `ServiceError`."""
        Initialiser(self.log).run([signer.public for signer in self.issuer_signers.values()])
        self.publish()  # after genesis: verify-kit.zip contains the trust root

    def publish(self) -> int:
        """Publish verify-kit.zip, then policies and pages, which show its hash.

        Returns the number of changes.
        """
        return self.kit_of_verifiers.run() + self.publisher.run(int(self.clock.now()))

    @property
    def notifier(self) -> Notifier:
        """Queues the operator's notices, such as withdrawals, for the next round."""
        return Notifier(self.ledger, self.public, self.clock)


def _site_folder() -> Path:
    """Templates and assets: next to `functions` in the repository, next to `issuer` in a function's zip."""
    packaged = Path(__file__).parents[2] / "site"
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / "site"
