"""What the log works on: its ports, and the reading of its private objects."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from issuer.errors import LogHaltedError, StaleTagError, StoreError
from issuer.ledger.ledger import Ledger
from issuer.log.state import HEAD, Head, SignedRound, parse_head, parse_signed, signed_name
from issuer.ports import Clock, ObjectStore, Signer, Witnesses

_TRIES = 8


def keep_current(store: ObjectStore, name: str, make: Callable[[], bytes]) -> bool:
    """Replace a mutable object by what `make` makes, unless it is that already. Whether it changed.

    `make` runs after the object's tag was read, anew for each try: so what it reads is not older than what is
    replaced. Raises `StoreError` if others replace the object again and again.
    """
    for _ in range(_TRIES):
        current, data = store.read_tagged(name), make()
        if current and current.data == data:
            return False
        with suppress(StaleTagError):
            store.replace(name, data, current.tag if current else None)
            return True
    raise StoreError(f"{name} was replaced by others {_TRIES} times in a row")


class SupersededError(Exception):
    """Another writer has committed a later round: this publisher stops, nothing is wrong."""


@dataclass(frozen=True)
class LogPorts:
    """What the log needs. `signers`: the registry's keys by kid; `cadence_s`: seconds between checkpoints."""

    origin: str
    cadence_s: int
    public: ObjectStore
    private: ObjectStore
    ledger: Ledger
    signers: Mapping[str, Signer]
    clock: Clock
    witnesses: Witnesses | None = None

    def grid_time(self) -> int:
        """The latest instant of the cadence's grid that is not after the clock."""
        return int(self.clock.now() // self.cadence_s) * self.cadence_s

    def read_signed(self, sequence: int) -> SignedRound | None:
        """The signed round, or None if it was not signed yet."""
        name = signed_name(sequence)
        data = self.private.read(name)
        return None if data is None else parse_signed(data, name)

    def check_ledger(self, head: Head, noted: int) -> None:
        """Check ledger and head against each other. `noted`: the ledger's round, read before head was.

        Each round is noted in the ledger before head is changed, and the next only once it is public. So a
        ledger that lags behind head was lost or came from a backup: it lacks debits and nonces of what is in
        the log; and one that is further ahead has seen rounds that these stores have lost, even if they agree
        with each other. Raises `LogHaltedError`.
        """
        if noted < head.sequence:
            noted = self.ledger.noted_round()  # rounds may have been made since
        if noted < head.sequence:
            known = f"knows rounds up to {noted}" if noted >= 0 else "knows no round"
            raise LogHaltedError(
                f"the ledger {known}, the log is at {head.sequence}: the ledger was lost or came from a "
                "backup. Nothing was signed; see the page on recovery"
            )
        if noted > head.sequence + 1:
            raise LogHaltedError(
                f"the ledger has seen round {noted}, head is at {head.sequence}: the private store came from "
                "a backup. Nothing was signed; see the page on recovery"
            )

    def check_current(self, head: Head) -> None:
        """Check that head is still head. Raises `SupersededError` if it has moved on."""
        stored = self.private.read(HEAD)
        if stored is None:
            raise LogHaltedError("head is gone: restore nothing, see the page on recovery")
        if parse_head(stored) != head:
            raise SupersededError
