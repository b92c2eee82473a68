"""Settings: the only module that reads the environment.

A process is embedded, with everything in a home folder, or in the cloud, with buckets, a table and KMS keys.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from attestlayer.encoding import parse_decimal, parse_origin, shown
from attestlayer.log.promises import MAX_CADENCE_S
from issuer.errors import Code, ServiceError

T = TypeVar("T")

DEFAULT_CADENCE_S = 60
DEFAULT_PORT = 8787

_HOME = "ATTESTLAYER_HOME"
_CADENCE = "ATTESTLAYER_CADENCE_SECONDS"
_BASE_URL = "ATTESTLAYER_BASE_URL"
_VERIFY_PAGE = "ATTESTLAYER_VERIFY_PAGE"
_ORIGIN = "ATTESTLAYER_ORIGIN"
_REGISTRY_BUCKET = "ATTESTLAYER_REGISTRY_BUCKET"
_PRIVATE_BUCKET = "ATTESTLAYER_PRIVATE_BUCKET"
_TABLE = "ATTESTLAYER_TABLE"
_REGISTRY_KEYS = "ATTESTLAYER_REGISTRY_KEYS"
_ISSUER_KEYS = "ATTESTLAYER_ISSUER_KEYS"
_REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")
_ENDPOINT = "AWS_ENDPOINT_URL"

CLOUD_NAMES = (
    _ORIGIN,
    _BASE_URL,
    _REGISTRY_BUCKET,
    _PRIVATE_BUCKET,
    _TABLE,
    _REGISTRY_KEYS,
    _ISSUER_KEYS,
)
"""The settings that a process in the cloud needs, in addition to a region."""

_KMS, _WRAPPED = "kms", "wrapped"

# RFC 3986 section 2: unreserved, reserved and percent, without quotes; ASCII, so that a reader can type it.
_PAGE = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~:/?#@!$&()*+,;=%-]*)?")
_PAGE_MAX = 200


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of the embedded service: its folder, seconds between checkpoints, its server's address.

    `verify_page`: the address of the page that verifies kits, which kits name; None for the registry's own.
    """

    home: Path
    cadence_s: int = DEFAULT_CADENCE_S
    base_url: str = f"http://127.0.0.1:{DEFAULT_PORT}"
    verify_page: str | None = None


@dataclass(frozen=True, slots=True)
class KeySource:
    """A signing key: KMS key `kms_key` itself, or the seed that it wrapped into private object `wrapped`."""

    kms_key: str
    wrapped: str | None = None


@dataclass(frozen=True, slots=True)
class CloudSettings:
    """Settings of the service in the cloud.

    `verify_page`: as in `Settings`. `endpoint_url`: a server in place of AWS's, for tests and demos.
    """

    origin: str
    cadence_s: int
    base_url: str
    registry_bucket: str
    private_bucket: str
    table: str
    registry_keys: tuple[KeySource, ...]
    issuer_keys: tuple[KeySource, ...]
    region: str
    verify_page: str | None = None
    endpoint_url: str | None = None


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings | CloudSettings:
    """The settings of this process. Raises `ServiceError` (HOME_UNUSABLE, INVALID_REQUEST)."""
    home = environment.get(_HOME)
    # A home decides; without one any setting of the cloud does, so that a half-configured function says which
    # settings it lacks.
    if home:
        check_no_cloud(environment)
    elif _cloud_names(environment):
        return read_cloud(environment)
    else:
        raise ServiceError(
            Code.HOME_UNUSABLE,
            f"no home was given: set {_HOME} or use --home; for the cloud set {', '.join(CLOUD_NAMES)}",
        )
    cadence = environment.get(_CADENCE, str(DEFAULT_CADENCE_S))
    base_url = environment.get(_BASE_URL, Settings(Path(home)).base_url)
    return Settings(Path(home), parse_cadence(cadence), base_url, _verify_page(environment))


def read_cloud(environment: Mapping[str, str] = os.environ) -> CloudSettings:
    """The settings of a process in the cloud. Raises `ServiceError` (HOME_UNUSABLE, INVALID_REQUEST)."""
    region = next((environment[name] for name in _REGIONS if environment.get(name)), None)
    # An empty variable counts as missing: templates set one for a parameter without a value.
    missing = [name for name in CLOUD_NAMES if not environment.get(name)]
    if missing or region is None:
        names = [*missing, *([" or ".join(_REGIONS)] if region is None else [])]
        raise ServiceError(Code.HOME_UNUSABLE, f"the cloud's settings lack {', '.join(names)}")
    return CloudSettings(
        origin=_parsed(environment, _ORIGIN, parse_origin),
        cadence_s=parse_cadence(environment.get(_CADENCE, str(DEFAULT_CADENCE_S))),
        base_url=environment[_BASE_URL],
        registry_bucket=environment[_REGISTRY_BUCKET],
        private_bucket=environment[_PRIVATE_BUCKET],
        table=environment[_TABLE],
        registry_keys=_parsed(environment, _REGISTRY_KEYS, _parse_keys),
        issuer_keys=_parsed(environment, _ISSUER_KEYS, _parse_keys),
        region=region,
        verify_page=_verify_page(environment),
        endpoint_url=environment.get(_ENDPOINT) or None,
    )


def verify_page_of(origin: str) -> str:
    """The address at which a registry serves the page that verifies kits, unless a setting says another."""
    return f"https://{origin}/verify.html"


def tells_of_cloud(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether any setting of the cloud is set, apart from the base URL, which homes have too."""
    return bool(_cloud_names(environment))


def check_no_cloud(environment: Mapping[str, str] = os.environ) -> None:
    """Check that no setting of the cloud is set next to a home: which one counts would be a guess.

    Raises HOME_UNUSABLE.
    """
    if names := _cloud_names(environment):
        raise ServiceError(
            Code.HOME_UNUSABLE, f"found both a home and the cloud ({', '.join(names)}): wanted one of them"
        )


def examiner_environment(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """All that the process that reads clients' files may know of this one's environment: no secret.

    LD_LIBRARY_PATH: where Lambda's Python finds its own library.
    """
    return {name: environment[name] for name in ("LD_LIBRARY_PATH",) if name in environment}


def runs_in_lambda(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this process is a Lambda function, where logs, metrics and traces are collected."""
    return bool(environment.get("AWS_LAMBDA_FUNCTION_NAME"))


def parse_cadence(text: str) -> int:
    """Seconds between checkpoints, 1 … 240. Raises `ServiceError` (INVALID_REQUEST)."""
    try:
        cadence = parse_decimal(text, MAX_CADENCE_S)
    except ValueError:
        cadence = 0
    if cadence < 1:
        raise ServiceError(
            Code.INVALID_REQUEST, f"cadence: found {shown(text)}, wanted 1 to {MAX_CADENCE_S} seconds"
        )
    return cadence


def _cloud_names(environment: Mapping[str, str]) -> list[str]:
    return [name for name in CLOUD_NAMES if environment.get(name) and name != _BASE_URL]


def _parsed(environment: Mapping[str, str], name: str, parse: Callable[[str], T]) -> T:
    try:
        return parse(environment[name])
    except ValueError as error:
        raise ServiceError(Code.INVALID_REQUEST, f"{name}: {error}") from error


def _verify_page(environment: Mapping[str, str]) -> str | None:
    # An empty variable counts as missing here too.
    return _parsed(environment, _VERIFY_PAGE, _parse_page) if environment.get(_VERIFY_PAGE) else None


def _parse_page(text: str) -> str:
    """An address as it is printed in kits, and encoded in the binder's QR code."""
    if not _PAGE.fullmatch(text) or len(text) > _PAGE_MAX:
        raise ValueError(
            f"found {shown(text)}, wanted an address like https://registry.example.org/verify.html "
            f"of at most {_PAGE_MAX} characters"
        )
    return text


def _parse_keys(text: str) -> tuple[KeySource, ...]:
    # Several keys while one takes over from another; the same key twice would sign twice.
    keys = tuple(map(_parse_key, text.split()))
    if not keys or len(set(keys)) != len(keys):
        raise ValueError(f"found {shown(text)}, wanted one or more different keys")
    return keys


def _parse_key(text: str) -> KeySource:
    """`kms:<key>` or `wrapped:<key>:<object>`. A key may be an ARN, with colons; an object has none."""
    # From the left the kind, from the right the object: whatever is between is the key.
    kind, _, rest = text.partition(":")
    if kind == _KMS and rest:
        return KeySource(rest)
    kms_key, _, wrapped = rest.rpartition(":")
    if kind == _WRAPPED and kms_key and wrapped:
        return KeySource(kms_key, wrapped)
    raise ValueError(
        f"found {shown(text)}, wanted {_KMS}:<key> or {_WRAPPED}:<key>:<private object>, key an id or ARN"
    )
