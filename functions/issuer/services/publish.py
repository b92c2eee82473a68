"""Publishes what belongs to no round: intake policies and the site's pages."""

from dataclasses import dataclass

from attestlayer.encoding import format_time, sha256
from attestlayer.kit.receipt import BOUNDARY
from attestlayer.log import layout
from attestlayer.log.promises import MERGE_DELAY_S
from attestlayer.log.trust import parse_trust
from issuer.errors import Code, ServiceError
from issuer.intake.catalogue import Catalogue
from issuer.kits.terms import SCHEDULE, TERM_DAYS, TIERS
from issuer.log.store import keep_current
from issuer.ports import ObjectStore, PageRenderer, SiteFacts
from issuer.problem import format_problem

_DAY_S = 86_400
_SECURITY_DAYS = 180
"""Days until security.txt expires: less than a year (RFC 9116 section 2.5.5). Each release renews it."""

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
USES = (
    "SHA-256 artifact hashing",
    "manifest-based evidence inventory",
    "canonical receipt hashing",
    "Ed25519 receipt signatures",
    "JWKS public-key discovery",
    "offline verification",
    "fail-closed verification behavior",
)
_OBJECTS = (
    ("/v1/entries/{leaf_hash}.json", "the leaf record: eleven values of one entry"),
    ("/v1/proofs/inclusion?leaf_hash=X", "the inclusion proof, as the registry receipt that kits carry"),
    ("/v1/proofs/consistency?from_size=A&to_size=B", "the proof that the tree only grew between two sizes"),
    ("/v1/checkpoints/latest.json", "the newest signed tree head"),
    ("/v1/checkpoints/{hash}.json", "any checkpoint, by its hash"),
    ("/v1/checkpoints/bundle/<N>", "256 checkpoints in one object"),
    ("/checkpoint", "the newest tree head as a C2SP signed note, with its witnesses' lines"),
    ("/v1/jwks/registry.jwks.json", "the registry's public keys, which sign checkpoints"),
    ("/v1/jwks/issuer.jwks.json", "the issuer's public keys, which sign receipts"),
    ("/v1/jwks/registry.vkey", "the registry's keys as C2SP verifier keys, the signing one first"),
    ("/v1/jwks/registry/{kid}.vkey", "one registry key, for tools that take one"),
    ("/v1/policy.txt", "a C2SP tlog-policy: this log's key, and the witnesses that it needs"),
    ("/v1/log-list.txt", "this log's entry for public lists of logs"),
    ("/v1/notices/{hash}.json", "key events, withdrawals, incidents: the list a checkpoint commits to"),
    ("/v1/policies/{intake_policy_hash}.json", "an intake policy, for ever under its hash"),
    ("/v1/trust.json", "a trust root to start from"),
    ("/v1/verify-kit.zip", "the verifier to take along: one page, one Python file, trust root, vectors"),
    ("/v1/stats", "registry statistics"),
    ("/v1/spec/REG-1.0.md", "the specification"),
    ("/tile/<L>/<N>[.p/<W>]", "hash tiles (C2SP tlog-tiles): monitors mirror them and compute every proof"),
    ("/tile/entries/<N>[.p/<W>]", "bundles of 256 entries"),
    ("/v1/index/<L>/<N>/<S>", "the look-up index: a hint from a hash to an entry"),
)


@dataclass(frozen=True)
class SitePublisher:
    """Writes policies and pages to the public store."""

    origin: str
    cadence_s: int
    public: ObjectStore
    catalogue: Catalogue
    pages: PageRenderer

    def run(self, built_at: int) -> int:
        """Publish everything. Returns the number of objects changed, 0 if run again on the same day.

        `built_at`: POSIX seconds of the release, from which the expiry of security.txt is counted.
        """
        # Policies before the pages that link to them; all versions, as old receipts name theirs by hash.
        for policy in self.catalogue.policies:
            self.public.create(layout.policy_path(policy.intake_policy_hash), policy.document)
        problem = format_problem(ServiceError(Code.NOT_FOUND, "there is nothing at this address"), "-")
        pages = dict(self.pages.render(self._facts(built_at))) | {layout.NOT_FOUND_PROBLEM: problem}
        return sum(self._keep(name, data) for name, data in pages.items())

    def _facts(self, built_at: int) -> SiteFacts:
        policies = self.catalogue.newest()
        trust, kit = self.public.read(layout.TRUST), self.public.read(layout.VERIFY_KIT)
        return SiteFacts(
            origin=self.origin,
            cadence_s=self.cadence_s,
            merge_delay_s=MERGE_DELAY_S,
            boundary=BOUNDARY,
            proves=PROVES,
            does_not_prove=DOES_NOT_PROVE,
            uses=USES,
            objects=_OBJECTS,
            policies=policies,
            policy_paths=tuple(layout.policy_path(policy.intake_policy_hash) for policy in policies),
            tiers=tuple((tier.name.capitalize(), tier.credits, tier.open_packets) for tier in TIERS),
            term_days=TERM_DAYS,
            retention=tuple((line.what, line.words) for line in SCHEDULE),
            trust=trust,
            identity=parse_trust(trust).identity().format() if trust is not None else None,
            verify_kit=sha256(kit).hex() if kit is not None else None,
            # Rounded down to a day, so that publishing again on that day changes no byte.
            expires=format_time(built_at // _DAY_S * _DAY_S + _SECURITY_DAYS * _DAY_S),
        )

    def _keep(self, name: str, data: bytes) -> bool:
        return keep_current(self.public, name, lambda: data)
