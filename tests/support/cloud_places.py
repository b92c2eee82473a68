"""Buckets, tables and keys on a local server: one set for each folder that a test names its place by."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from issuer.adapters.s3 import S3Place
from support.cloud_servers import CREDENTIALS, REGION, server_url


@cache
def client(service: str, url: str) -> Any:
    """A client of a local server, for making and looking; it tries once."""
    return boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
    )


def name_of(place: Path, kind: str) -> str:
    """A name for what a test keeps at `place`: the same for the same folder."""
    return f"{kind}-{hashlib.sha256(str(place).encode()).hexdigest()[:24]}"


def bucket(server: str, place: Path, kind: str = "bucket", *, url: str | None = None) -> str:
    """The bucket for `place`, made if it is not there."""
    name = name_of(place, kind)
    try:
        client("s3", url or server_url(server)).create_bucket(Bucket=name)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
            raise
    return name


def s3_place(server: str, *, url: str | None = None, timeout_s: float = 30.0) -> S3Place:
    """The server's S3."""
    return S3Place(REGION, url or server_url(server), timeout_s=timeout_s)
