"""The log's ports, with the checks that every use of them shares."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from issuer.errors import LogHaltedError, StaleTagError, StoreError
from issuer.log.state import HEAD, Head, SignedRound, parse_head, parse_signed, signed_name
from issuer.log.watch import ClockWatch
from issuer.ports import Clock, ObjectStore, Signer, Witnesses

if TYPE_CHECKING:  # its rows load pydantic, which the prover does not need
    from issuer.ledger.ledger import Ledger

_TRIES = 8


def keep_current(store: ObjectStore, name: str, make: Callable[[], bytes]) -> bool:
    """Replace a mutable object with the result of `make` unless they are equal. Returns whether it changed.

    Raises `StoreError` if other writers replace the object eight times in a row.
    """
    for _ in range(_TRIES):
        # The tag first, then `make`, again for each try: if the object changes after `make` has read its
        # sources, the swap fails. So a slow writer never puts older content in place of newer.
        current, data = store.read_tagged(name), make()
        if current and current.data == data:
            return False
        with suppress(StaleTagError):
            store.replace(name, data, current.tag if current else None)
            return True
    raise StoreError(f"{name} was replaced by others {_TRIES} times in a row")


class SupersededError(Exception):
    """Another writer has committed a later round. Nothing is wrong: this publisher has no more work to do."""


@dataclass(frozen=True)
class LogPorts:
    """What the log needs. `signers`: the registry's keys by kid; `cadence_s`: seconds between checkpoints.

    `watch`: over the clock; None only where no second clock is to be asked, as in tests that hold the clock.
    """

    origin: str
    cadence_s: int
    public: ObjectStore
    private: ObjectStore
    ledger: "Ledger"
    signers: Mapping[str, Signer]
    clock: Clock
    witnesses: Witnesses | None = None
    watch: ClockWatch | None = None

    def begin_attempt(self, last: int | None) -> None:
        """Begin an attempt at a round. `last`: the newest round's time, or None.

        Raises `ClockRefusedError`.
        """
        if self.watch:
            self.watch.begin(last)

    def grid_time(self) -> int:
        """The latest instant of the cadence's grid, in POSIX seconds, that is not in the future.

        Raises `ClockRefusedError` if the clock has jumped since the attempt began.
        """
        now = self.clock.now()
        if self.watch:
            self.watch.check(now)
        return int(now // self.cadence_s) * self.cadence_s

    def read_signed(self, sequence: int) -> SignedRound | None:
        """The signed round, or None if nobody has signed it yet. Raises `LogHaltedError` if it is damaged."""
        name = signed_name(sequence)
        data = self.private.read(name)
        return None if data is None else parse_signed(data, name)

    def check_ledger(self, head: Head, noted: int) -> None:
        """Check that ledger and head share one history. `noted`: the ledger's round, read before head.

        A round is noted in the ledger before head names it, and the next one only once it is public. So a
        ledger with a lower round was lost or came from a backup: it lacks debits and nonces of leaves in the
        log. A ledger more than one round ahead has seen rounds that the stores have lost, even if the stores
        agree with each other. Raises `LogHaltedError`.
        """
        if noted < head.sequence:
            noted = self.ledger.noted_round()  # rounds may have been committed between the two reads
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
        """Check that `head` is still the stored head.

        Raises `SupersededError` if not, `LogHaltedError` if none is.
        """
        stored = self.private.read(HEAD)
        if stored is None:
            raise LogHaltedError("head is gone: restore nothing, see the page on recovery")
        if parse_head(stored) != head:
            raise SupersededError
