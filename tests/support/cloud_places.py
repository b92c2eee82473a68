"""Buckets, tables and keys on a local server: one set for each folder that a test names its place by."""

import hashlib
import os
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from issuer.adapters.aws.s3 import S3Place
from issuer.adapters.aws.table import DynamoTable
from issuer.ledger.ledger import Ledger
from support.cloud_servers import CREDENTIALS, REGION, server_url


def client(service: str, url: str, timeout_s: float = 20) -> Any:
    """This process's client of a local server; it tries once. Sockets must not be shared with a fork."""
    return _client(service, url, timeout_s, os.getpid())


@cache
def _client(service: str, url: str, timeout_s: float, process: int) -> Any:
    del process
    return boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        config=Config(
            retries={"total_max_attempts": 1},
            signature_version="s3v4" if service == "s3" else None,
            s3={"addressing_style": "path"},
            max_pool_connections=64,
            connect_timeout=3,
            read_timeout=timeout_s,
        ),
    )


def name_of(place: Path, kind: str) -> str:
    """A name for what a test keeps at `place`: the same for the same folder."""
    return f"{kind}-{hashlib.sha256(str(place).encode()).hexdigest()[:24]}"


def bucket(server: str, place: Path, kind: str = "bucket") -> str:
    """The bucket for `place`, made if it is not there."""
    name = name_of(place, kind)
    try:
        client("s3", server_url(server)).create_bucket(Bucket=name)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
            raise
    return name


def s3_place(server: str, *, url: str | None = None, timeout_s: float = 30.0) -> S3Place:
    """The server's S3."""
    return S3Place(REGION, url or server_url(server), timeout_s=timeout_s)


def table_name(server: str, place: Path) -> str:
    """The ledger's table for `place`, made if it is not there."""
    name = name_of(place, "ledger")
    try:
        client("dynamodb", server_url(server)).create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[{"AttributeName": each, "AttributeType": "S"} for each in ("pk", "sk")],
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceInUseException":
            raise
    return name


def dynamo_table(server: str, place: Path, *, url: str | None = None, timeout_s: float = 20) -> DynamoTable:
    """The table for `place`; `url`: where its client is to send, if not to the server."""
    return DynamoTable(client("dynamodb", url or server_url(server), timeout_s), table_name(server, place))


def dynamo_ledger(server: str, place: Path, *, url: str | None = None, timeout_s: float = 20) -> Ledger:
    """The ledger for `place`."""
    return Ledger(dynamo_table(server, place, url=url, timeout_s=timeout_s))
