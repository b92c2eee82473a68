"""The adapters that the contract tests run over. A new one is a line here."""

from contract.racing import Factory
from issuer.adapters.directory import DirectoryStore
from issuer.adapters.sqlite import SqliteLedger
from issuer.ports import Ledger, ObjectStore

OBJECT_STORES: tuple[Factory[ObjectStore], ...] = (
    Factory("directory", lambda place: DirectoryStore(place / "objects")),
    Factory("private-directory", lambda place: DirectoryStore(place / "objects", private=True)),
)

LEDGERS: tuple[Factory[Ledger], ...] = (Factory("sqlite", lambda place: SqliteLedger(place / "ledger.db")),)
