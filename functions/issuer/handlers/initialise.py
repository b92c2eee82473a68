"""Invoked at the first deployment: genesis and first notices, policies and pages."""

from typing import Any

from issuer.bootstrap.cloud import initialise_cloud
from issuer.bootstrap.telemetry import Telemetry
from issuer.errors import Code, ServiceError
from issuer.log import face
from issuer.settings import CloudSettings, read_settings

telemetry = Telemetry()


@telemetry.around
def handler(event: dict[str, Any], context: object) -> dict[str, object]:
    """Begin the log, or leave one that has begun. Answers its keys and its identity, a verifier key."""
    del event, context
    settings = read_settings()
    if not isinstance(settings, CloudSettings):
        raise ServiceError(Code.HOME_UNUSABLE, "found a home, wanted the cloud's settings")
    service = initialise_cloud(settings)
    trust = face.read_trust_root(service.public)
    keys: dict[str, list[str]] = {}
    for key in trust.keyring.keys.values():
        keys.setdefault(key.role.value, []).append(key.public.kid)
    return {
        "origin": service.origin,
        "sequence": trust.checkpoint.sequence,
        "identity": trust.identity().format(),
        "keys": keys,
    }
