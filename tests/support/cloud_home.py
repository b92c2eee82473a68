"""A whole cloud on ministack for the service: buckets, table, keys, and the environment that names them."""

from contextlib import suppress
from pathlib import Path

from issuer.settings import CloudSettings, read_cloud
from support.cloud_places import bucket, client, name_of, table_name
from support.cloud_servers import CREDENTIALS, MINISTACK, server_url

WRAPPED_OBJECT = "keys/issuer.json"


def environment(place: Path, origin: str, *, url: str | None = None, cadence_s: int = 60) -> dict[str, str]:
    """What a function's environment says of the cloud for `place`, made if it is not there.

    The registry key is KMS's own, the issuer's a wrapped seed. `url`: where the clients are to send.
    """
    server = url or server_url(MINISTACK)
    return {
        **CREDENTIALS,
        "AWS_ENDPOINT_URL": server,
        "ATTESTLAYER_ORIGIN": origin,
        "ATTESTLAYER_CADENCE_SECONDS": str(cadence_s),
        "ATTESTLAYER_BASE_URL": "https://api.example.org",
        "ATTESTLAYER_REGISTRY_BUCKET": bucket(MINISTACK, place, "registry"),
        "ATTESTLAYER_PRIVATE_BUCKET": bucket(MINISTACK, place, "private"),
        "ATTESTLAYER_TABLE": table_name(MINISTACK, place),
        "ATTESTLAYER_REGISTRY_KEYS": f"kms:{signing_key(place, 'registry', origin)}",
        "ATTESTLAYER_ISSUER_KEYS": f"wrapped:{wrapping_key(place)}:{WRAPPED_OBJECT}",
    }


def settings(place: Path, origin: str, *, url: str | None = None, cadence_s: int = 60) -> CloudSettings:
    """The settings of that environment."""
    return read_cloud(environment(place, origin, url=url, cadence_s=cadence_s))


def signing_key(place: Path, role: str, origin: str) -> str:
    """An Ed25519 key of KMS for role and origin."""
    return _key(
        name_of(place, role),
        KeySpec="ECC_NIST_EDWARDS25519",
        KeyUsage="SIGN_VERIFY",
        Tags=[
            {"TagKey": "attestlayer:role", "TagValue": role},
            {"TagKey": "attestlayer:origin", "TagValue": origin},
        ],
    )


def wrapping_key(place: Path) -> str:
    """A symmetric key of KMS."""
    return _key(name_of(place, "wrapping"))


def _key(name: str, **arguments: object) -> str:
    """The key with this alias, made if it is not there."""
    kms = client("kms", server_url(MINISTACK))
    alias = f"alias/{name}"
    with suppress(kms.exceptions.NotFoundException):
        return str(kms.describe_key(KeyId=alias)["KeyMetadata"]["KeyId"])
    key_id = str(kms.create_key(**arguments)["KeyMetadata"]["KeyId"])
    with suppress(kms.exceptions.AlreadyExistsException):  # another process was first: its key counts
        kms.create_alias(AliasName=alias, TargetKeyId=key_id)
    return str(kms.describe_key(KeyId=alias)["KeyMetadata"]["KeyId"])
