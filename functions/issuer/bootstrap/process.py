"""The service, or the prover alone, of this process: opened from its settings, or set by `use`."""

from functools import cache
from typing import TYPE_CHECKING

from attestlayer.log.layout import headers_of
from issuer.services.prove import Prover
from issuer.settings import CloudSettings, Settings, read_settings, tells_of_cloud

if TYPE_CHECKING:
    from issuer.bootstrap.service import Service

# Adapters are imported where they are opened: a cold start pays for those that the function uses, no others.

_used: "list[Service]" = []
"""None or one: opened once a process, as a cold start of a Lambda function is dear."""


def use(chosen: "Service") -> None:
    """Make `chosen` the service of this process, in place of the one that its settings name."""
    _used[:] = [chosen]


def service() -> "Service":
    """The service of this process: the one passed to `use`, else opened from the settings, once."""
    # Not at import: a test or a command may call `use` first, and a bad environment fails a call, not the
    # import.
    if not _used:
        use(open_service(read_settings()))
    return _used[0]


def open_service(settings: Settings | CloudSettings, *, read_only: bool = False) -> "Service":
    """Open the service that the settings describe. Raises `ServiceError`.

    `read_only`: of a home, which is not changed then.
    """
    if isinstance(settings, Settings):
        from issuer.bootstrap.home import open_home

        return open_home(settings, read_only=read_only)
    from issuer.bootstrap.cloud import open_cloud

    return open_cloud(settings)


def prover() -> Prover:
    """This process's prover. In the cloud it has the public bucket alone; obstore finds the credentials."""
    return _cloud_prover() if tells_of_cloud() else service().prover


@cache
def _cloud_prover() -> Prover:
    from issuer.adapters.aws.s3 import S3Place, S3Store

    settings = read_settings()
    assert isinstance(settings, CloudSettings)
    place = S3Place(settings.region, settings.endpoint_url)
    return Prover(S3Store(settings.registry_bucket, place, headers_of))
