"""S3 and DynamoDB (on ministack) under the tests that run over any adapters."""

import shutil
from pathlib import Path

from attestlayer.log.layout import headers_of
from issuer.adapters.aws.s3 import S3Place, S3Store, no_headers
from issuer.bootstrap.cloud import initialise_cloud
from issuer.bootstrap.service import Service
from issuer.log.store import LogPorts
from support import cloud_home
from support.backend import Backend
from support.cloud_places import bucket, client, dynamo_ledger, s3_place, table_name
from support.cloud_servers import MINISTACK, server_url
from support.log import ORIGIN, REGISTRY, HeldClock, SeedSigner

KINDS = ("registry", "private")
TIMEOUT_S = 1.0


def open_cloud(
    home: Path,
    clock: HeldClock,
    cadence_s: int = 60,
    signer: SeedSigner = REGISTRY,
    *,
    url: str | None = None,
) -> LogPorts:
    """The ports of a log in the cloud for `home`; `url`: where to send, if not to the server."""
    place = s3_place(MINISTACK, url=url, timeout_s=TIMEOUT_S if url else 30)
    return LogPorts(
        origin=ORIGIN,
        cadence_s=cadence_s,
        public=_store(home, "registry", place),
        private=_store(home, "private", place),
        ledger=dynamo_ledger(MINISTACK, home, url=url, timeout_s=TIMEOUT_S if url else 20),
        signers={signer.public.kid: signer},
        clock=clock,
    )


def copy_cloud(source: Path, target: Path) -> None:
    """Copy buckets and table. The folders hold nothing but an export."""
    target.mkdir(parents=True)
    for kind in KINDS:
        _store(target, kind).create_many(_objects(source, kind))
    dynamodb = client("dynamodb", server_url(MINISTACK))
    items = dynamodb.scan(TableName=table_name(MINISTACK, source))["Items"]
    to = table_name(MINISTACK, target)
    for at in range(0, len(items), 25):
        requests = [{"PutRequest": {"Item": item}} for item in items[at : at + 25]]
        dynamodb.batch_write_item(RequestItems={to: requests})


def export_registry(home: Path) -> Path:
    """A folder with the public objects as they are now."""
    folder = home / "export"
    shutil.rmtree(folder, ignore_errors=True)
    for name, data in _objects(home, "registry").items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def cloud_service(home: Path) -> Service:
    """A whole service on the cloud for `home`, its log started."""
    return initialise_cloud(cloud_home.settings(home, ORIGIN, cadence_s=1))


def _store(home: Path, kind: str, place: S3Place | None = None) -> S3Store:
    """A bucket of a home; `place`: where to send, if not to the server."""
    headers = headers_of if kind == "registry" else no_headers
    return S3Store(bucket(MINISTACK, home, kind), place or s3_place(MINISTACK), headers)


def _objects(home: Path, kind: str) -> dict[str, bytes]:
    """What is in a bucket of a home, by name."""
    store = _store(home, kind)
    return {name: data for name in store.list("") if (data := store.read(name)) is not None}


CLOUD = Backend("cloud", open_cloud, copy_cloud, export_registry, cloud_service, share=8)
"""S3 and DynamoDB."""
