"""A log in a temporary folder: real adapters, a clock and randomness that the test holds."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from attestlayer.encoding import sha256
from attestlayer.keys import PrivateKey, PublicKey
from attestlayer.leaf import Leaf
from issuer.adapters.directory import DirectoryStore
from issuer.adapters.sqlite import SqliteLedger
from issuer.log.publisher import LogPorts

ORIGIN = "registry.test"
START = 1_800_000_000


@dataclass
class HeldClock:
    """A clock that moves only when told, or when somebody sleeps."""

    time: float = START

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


@dataclass
class SeededEntropy:
    """Bytes that follow from a seed."""

    seed: str = "entropy"
    count: int = 0

    def token(self, length: int) -> bytes:
        self.count += 1
        return hashlib.shake_256(f"{self.seed} {self.count}".encode()).digest(length)


@dataclass(frozen=True)
class SeedSigner:
    """A signer whose key follows from a name."""

    name: str

    @property
    def private(self) -> PrivateKey:
        return PrivateKey(hashlib.sha256(self.name.encode()).digest())

    @property
    def public(self) -> PublicKey:
        return self.private.public

    def sign(self, message: bytes) -> bytes:
        return self.private.sign(message)


REGISTRY = SeedSigner("registry")
ISSUER = SeedSigner("issuer")


def log_in(home: Path, clock: HeldClock, cadence_s: int = 60, signer: SeedSigner = REGISTRY) -> LogPorts:
    """The ports of a log that lives in `home`."""
    return LogPorts(
        origin=ORIGIN,
        cadence_s=cadence_s,
        public=DirectoryStore(home / "registry", state=home / "state"),
        private=DirectoryStore(home / "private", private=True),
        ledger=SqliteLedger(home / "ledger.sqlite"),
        signers={signer.public.kid: signer},
        clock=clock,
    )


def leaf_number(number: int, issued_at: int = START) -> Leaf:
    """A leaf that differs from every other number's."""

    def value(what: str) -> bytes:
        return sha256(f"{what} {number}".encode())

    return Leaf(
        client_nonce_hash=value("nonce"),
        intake_policy_hash=value("policy"),
        issued_at=issued_at,
        issuer_kid=ISSUER.public.kid,
        kit_digest=value("kit"),
        lane_id="PAY-01",
        manifest_root=value("manifest"),
        profile_id="wire-transfer",
        statement_hash=value("statement"),
    )
