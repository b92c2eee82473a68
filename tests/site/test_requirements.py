"""The texts that the source documents ask for, by their numbers in the requirements, and where they stand."""

import pytest

from support.site_pages import Page

STEPS = "partners.html"
FAQ = "faq.html"
POLICY = "transparency.html"

WANTED: dict[str, dict[str, tuple[str, ...]]] = {
    "R1": {STEPS: ("From qualification to first packet, in 5 steps",)},
    "R2": {
        STEPS: ("process only", "does not promise that any", "reviewer, buyer, regulator, insurer or PSP")
    },
    "R3": {STEPS: ("intended tier (Starter / Growth / Portfolio)", "description of the partner's workflow")},
    "R4": {STEPS: ("confirms scope, boundaries and tier fit",)},
    "R5": {STEPS: ("the agreed tier, credit balance and contact list",)},
    "R6": {
        STEPS: ("No installs, no scanners, no access",),
        FAQ: ("never asks for access to a client's systems",),
    },
    "R7": {STEPS: ("adds the first client packet",)},
    "R8": {STEPS: ("submits the supplied records through the intake",)},
    "R9": {STEPS: ("structured intake checks and a blocker review",)},
    "R10": {STEPS: ("binder, manifest, signed receipt, hash trail",)},
    "R11": {STEPS: ("PASS consumes one credit",), FAQ: ("consumed when an evidence packet is issued",)},
    "R12": {STEPS: ("FAIL burns zero credits",), FAQ: ("Failed attempts do not consume credits",)},
    "R13": {STEPS: ("produces a blocker report",), FAQ: ("produces a blocker report",)},
    "R14": {FAQ: ("the client submits the missing records, and the packet can be attempted again",)},
    "R15": {FAQ: ("PASS means the submitted records were complete enough to issue",)},
    "R16": {STEPS: ("shares the packet with the reviewer, buyer or counterparty",)},
    "R17": {STEPS: ("verify.attestlayer.com", "offline verifier"), FAQ: ("verify.attestlayer.com",)},
    "R18": {
        STEPS: (
            "renew or upgrade the tier",
            "reserved capacity for repeat client cohorts",
            "continuity offerings",
        )
    },
    "R19": {
        STEPS: (
            *("client relationship and advisory work", "client communication and scoping"),
            *(
                "deciding which client records to submit",
                "security interpretation",
                "record-only ruleset checks",
            ),
            *("blocker output", "packet generation", "manifests, receipts, verification paths"),
            "technical support",
        )
    },
    "R20": {
        "trust.html": (
            "records what was submitted, what was accepted into scope, what was issued",
            "how the issued kit can be checked",
        )
    },
    "R21": {"trust.html": ("SHA-256 artifact hashing",)},
    "R22": {"trust.html": ("manifest-based evidence inventory",)},
    "R23": {"trust.html": ("canonical receipt hashing",)},
    "R24": {"trust.html": ("Ed25519 receipt signatures",)},
    "R25": {"trust.html": ("JWKS public-key discovery",), FAQ: ("JWKS public-key discovery",)},
    "R26": {"trust.html": ("offline verification",)},
    "R27": {"trust.html": ("fail-closed verification behavior",)},
    "R28": {"index.html": ("files match the manifest",)},
    "R29": {"index.html": ("manifest matches the receipt",)},
    "R30": {"index.html": ("receipt key ID matches a public key",)},
    "R31": {"index.html": ("receipt signature verifies",)},
    "R32": {"index.html": ("the kit has not been modified since issuance",)},
    "R33": {"index.html": ("company compliance status",)},
    "R34": {"index.html": ("company security status",)},
    "R35": {"index.html": ("controls are operating effectively",)},
    "R36": {"index.html": ("a buyer, auditor, insurer, bank, regulator, or PSP has accepted the packet",)},
    "R37": {"index.html": ("the evidence content is legally sufficient",)},
    "R39": {FAQ: ("does not certify compliance, replace audit work, provide legal advice, or guarantee",)},
    "R40": {FAQ: ("does not sell around the partner from inside the workspace",)},
    "R41": {FAQ: ("Binder PDF, manifest JSON, signed receipt, hash trail, and a verification path",)},
    "R42": {FAQ: ("within one to three working sessions",)},
    "R43": {FAQ: ("keeps its name on the issued packet", "the packet itself is AttestLayer-issued")},
    "R44": {
        FAQ: ("fintech, healthcare-adjacent, public-sector and platform/API", "regulated-industry advice")
    },
    "R45": {FAQ: ("program.attestlayer.com",)},
    "R46": {POLICY: ("Every PASS attestation", "public, append-only transparency registry")},
    "R47": {POLICY: ("Entries can never be modified or deleted",)},
    "R48": {POLICY: ("Every 60 seconds the registry publishes a signed checkpoint", "new signed checkpoint")},
    "R49": {POLICY: ("Any client can verify that a certain attestation is in the tree",)},
    "R50": {POLICY: ("Any monitor can verify that the tree only grows",)},
    "R51": {POLICY: ("registry receipt that can be verified without contacting a server",)},
    "R52": {POLICY: ("cryptographic hashes and minimal metadata, never customer data or artifacts",)},
    "R53": {POLICY: ("leaf_hash",)},
    "R54": {POLICY: ("statement_hash",)},
    "R55": {POLICY: ("manifest_root",)},
    "R56": {POLICY: ("lane_id",)},
    "R57": {POLICY: ("profile_id",)},
    "R58": {POLICY: ("issuer_kid",)},
    "R59": {POLICY: ("issued_at",)},
    "R60": {POLICY: ("outcome", "always PASS")},
    "R61": {POLICY: ("client_nonce_hash",)},
    "R62": {POLICY: ("intake_policy_hash",)},
    "R63": {POLICY: ("kit_digest",)},
    "R64": {POLICY: ("SHA-256 only", "no algorithm agility")},
    "R65": {POLICY: ("Ed25519 only",)},
    "R66": {POLICY: ("RFC 8785 JSON Canonicalization Scheme",)},
    "R67": {POLICY: ("0x00 for leaves, 0x01 for internal nodes",)},
    "R68": {POLICY: ("base64url without padding",)},
    "R69": {POLICY: ('RFC 3339 UTC, with a trailing "Z"',)},
    "R70": {POLICY: ("maximum merge delay is 10 minutes", "within 10 minutes of its acceptance")},
    "R71": {POLICY: ("prev_checkpoint_hash",)},
    "R72": {POLICY: ("/v1/jwks/registry.jwks.json",)},
    "R73": {POLICY: ("a random value that the client generates before submission",)},
    "R74": {POLICY: ("stores only its hash", "registry/client_nonce.txt")},
    "R75": {
        POLICY: (
            "after the nonce was generated and before the checkpoint was signed",
            "both backdating and forward-dating",
        )
    },
    "R76": {POLICY: ("zero personally identifiable information", "email addresses or file contents")},
    "R77": {POLICY: ("/v1/entries/{leaf_hash}.json",)},
    "R78": {POLICY: ("/v1/proofs/inclusion?leaf_hash=X", "/v1/proofs/inclusion?leaf_hash=YOUR_LEAF_HASH")},
    "R79": {POLICY: ("/v1/proofs/consistency?from_size=A&to_size=B",)},
    "R80": {POLICY: ("/v1/checkpoints/latest.json",)},
    "R81": {POLICY: ("/v1/checkpoints/{hash}.json",)},
    "R82": {POLICY: ("/v1/jwks/registry.jwks.json",)},
    "R83": {POLICY: ("/v1/verify-kit.zip",)},
    "R84": {POLICY: ("/v1/stats",)},
    "R85": {POLICY: ("/v1/spec/REG-1.0.md",)},
    "R86": {POLICY: ("security@attestlayer.com",)},
}


@pytest.mark.parametrize("number", WANTED)
def test_the_text_of_a_requirement_stands_where_it_belongs(pages: dict[str, Page], number: str) -> None:
    for name, texts in WANTED[number].items():
        for text in texts:
            assert text in pages[name].text, (number, name)


def test_every_requirement_is_there_but_the_boundary_which_has_a_test_for_all_pages() -> None:
    assert set(WANTED) == {f"R{number}" for number in range(1, 87)} - {"R38"}
