"""S3 and DynamoDB (on ministack) under the tests that run over any adapters."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from attestlayer.layout import headers_of
from issuer.adapters.s3 import S3Store
from issuer.bootstrap import Service
from issuer.bootstrap_cloud import initialise_cloud
from issuer.log.store import LogPorts
from support import cloud_home
from support.backend import Backend
from support.cloud_places import bucket, client, dynamo_ledger, s3_place, table
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
    public, private = (bucket(MINISTACK, home, kind) for kind in KINDS)
    return LogPorts(
        origin=ORIGIN,
        cadence_s=cadence_s,
        public=S3Store(public, place, headers_of),
        private=S3Store(private, place),
        ledger=dynamo_ledger(MINISTACK, home, url=url, timeout_s=TIMEOUT_S if url else 20),
        signers={signer.public.kid: signer},
        clock=clock,
    )


def copy_cloud(source: Path, target: Path) -> None:
    """Copy buckets and table. The folders hold nothing but an export."""
    target.mkdir(parents=True)
    s3, dynamodb = (client(name, server_url(MINISTACK)) for name in ("s3", "dynamodb"))
    for kind in KINDS:
        of, to = (bucket(MINISTACK, place, kind) for place in (source, target))
        with ThreadPoolExecutor(4) as pool:
            for _ in pool.map(lambda key, of=of, to=to: _copy_object(s3, of, to, key), _keys(s3, of)):
                pass
    items = dynamodb.scan(TableName=table(MINISTACK, source))["Items"]
    to = table(MINISTACK, target)
    for at in range(0, len(items), 25):
        requests = [{"PutRequest": {"Item": item}} for item in items[at : at + 25]]
        dynamodb.batch_write_item(RequestItems={to: requests})


def export_registry(home: Path) -> Path:
    """A folder with the public objects as they are now."""
    s3, name = client("s3", server_url(MINISTACK)), bucket(MINISTACK, home, "registry")
    folder = home / "export"
    shutil.rmtree(folder, ignore_errors=True)
    for key in _keys(s3, name):
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(s3.get_object(Bucket=name, Key=key)["Body"].read())
    return folder


def cloud_service(home: Path) -> Service:
    """A whole service on the cloud for `home`, its log started."""
    return initialise_cloud(cloud_home.settings(home, ORIGIN, cadence_s=1))


def _keys(s3: Any, name: str) -> list[str]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=name)
    return [each["Key"] for page in pages for each in page.get("Contents", [])]


def _copy_object(s3: Any, of: str, to: str, key: str) -> None:
    s3.copy_object(Bucket=to, Key=key, CopySource={"Bucket": of, "Key": key})


CLOUD = Backend("cloud", open_cloud, copy_cloud, export_registry, cloud_service, share=8)
"""S3 and DynamoDB."""
