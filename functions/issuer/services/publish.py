"""Publishes what is not of a round: intake policies, the site's pages."""

from dataclasses import dataclass

from attestlayer import layout
from attestlayer.receipt import BOUNDARY
from issuer.errors import StaleTagError, StoreError
from issuer.intake.catalogue import Catalogue
from issuer.ports import ObjectStore, PageRenderer, PolicyFacts, SiteFacts

_TRIES = 8

PROVES = (
    "files match the manifest",
    "manifest matches the receipt",
    "receipt key ID matches a public key",
    "receipt signature verifies",
    "the kit has not been modified since issuance",
)
DOES_NOT_PROVE = (
    "company compliance status",
    "company security status",
    "controls are operating effectively",
    "a buyer, auditor, insurer, bank, regulator, or PSP has accepted the packet",
    "the evidence content is legally sufficient",
)
_OBJECTS = (
    ("/checkpoint", "the newest tree head as a C2SP signed note"),
    ("/tile/<L>/<N>[.p/<W>]", "hash tiles (C2SP tlog-tiles)"),
    ("/tile/entries/<N>[.p/<W>]", "entry bundles"),
    ("/v1/checkpoints/latest.json", "the newest checkpoint of the chain"),
    ("/v1/checkpoints/{hash}.json", "any checkpoint, by its hash"),
    ("/v1/checkpoints/bundle/<N>", "256 checkpoints at once"),
    ("/v1/entries/{leaf_hash}.json", "an entry: hashes and minimal metadata"),
    ("/v1/proofs/inclusion?leaf_hash=…", "the registry receipt of an entry"),
    ("/v1/proofs/consistency?from_size=…&to_size=…", "that the log only grew between two sizes"),
    ("/v1/policies/{hash}.json", "intake policies, for ever under their hash"),
    ("/v1/notices/{hash}.json", "keys, withdrawals and incidents"),
    ("/v1/trust.json", "a trust root to start from"),
    ("/v1/stats", "the state of the log"),
)


@dataclass(frozen=True)
class SitePublisher:
    """Writes policies and pages to the public store."""

    origin: str
    cadence_s: int
    public: ObjectStore
    catalogue: Catalogue
    pages: PageRenderer

    def run(self) -> int:
        """Publish everything; again changes nothing. Returns the number of objects that changed."""
        for policy in self.catalogue.policies:
            self.public.create(layout.policy_path(policy.policy_hash), policy.document)
        return sum(self._replace(name, data) for name, data in self.pages.render(self._facts()).items())

    def _facts(self) -> SiteFacts:
        policies = tuple(
            PolicyFacts(
                policy.lane_id,
                policy.profile_id,
                policy.version,
                policy.title,
                layout.policy_path(policy.policy_hash),
            )
            for policy in self.catalogue.newest()
        )
        return SiteFacts(self.origin, self.cadence_s, BOUNDARY, PROVES, DOES_NOT_PROVE, _OBJECTS, policies)

    def _replace(self, name: str, data: bytes) -> bool:
        for _ in range(_TRIES):
            current = self.public.read_tagged(name)
            if current and current.data == data:
                return False
            try:
                self.public.replace(name, data, current.tag if current else None)
            except StaleTagError:
                continue
            return True
        raise StoreError(f"{name} was replaced by others {_TRIES} times in a row")
