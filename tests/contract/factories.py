"""The adapters that the contract tests run over. A new one is a line here."""

from contract.racing import Factory
from issuer.adapters.aws.s3 import S3Store
from issuer.adapters.local.directory import DirectoryStore
from issuer.adapters.local.table import SqliteTable
from issuer.ledger.ledger import Ledger
from issuer.ports import ObjectStore, Table
from support.cloud_places import bucket, dynamo_table, s3_place
from support.cloud_servers import MINISTACK, MOTO
from support.tables import dict_table


def _s3(server: str) -> Factory[ObjectStore]:
    return Factory(
        f"s3-{server}", lambda place: S3Store(bucket(server, place), s3_place(server)), forks=False
    )


OBJECT_STORES: tuple[Factory[ObjectStore], ...] = (
    Factory("directory", lambda place: DirectoryStore(place / "objects")),
    Factory("private-directory", lambda place: DirectoryStore(place / "objects", private=True)),
    _s3(MOTO),
    _s3(MINISTACK),
)

TABLES: tuple[Factory[Table], ...] = (
    Factory("dict", dict_table, processes=False),
    Factory("sqlite", lambda place: SqliteTable(place / "ledger.db"), exclusive=True),
    # moto's transactions are not atomic: of 30 races on its server 8 went wrong, a counter rose too far.
    Factory(f"dynamodb-{MOTO}", lambda place: dynamo_table(MOTO, place), races=False),
    Factory(f"dynamodb-{MINISTACK}", lambda place: dynamo_table(MINISTACK, place)),
)


def ledger_factory(tables: Factory[Table]) -> Factory[Ledger]:
    """Ledgers over such tables."""
    return Factory(tables.name, lambda place: Ledger(tables.open(place)))
