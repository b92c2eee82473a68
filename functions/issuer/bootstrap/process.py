"""The service of this process: opened from its settings, or set by `use`."""

from issuer.bootstrap.home import open_home
from issuer.bootstrap.service import Service
from issuer.settings import CloudSettings, Settings, read_settings

_used: list[Service] = []
"""None or one: opened once a process, as a cold start of a Lambda function is dear."""


def use(chosen: Service) -> None:
    """Make `chosen` the service of this process, in place of the one that its settings name."""
    _used[:] = [chosen]


def service() -> Service:
    """The service of this process: the one passed to `use`, else opened from the settings, once."""
    # Not at import: a test or a command may call `use` first, and a bad environment fails a call, not the
    # import.
    if not _used:
        use(open_service(read_settings()))
    return _used[0]


def open_service(settings: Settings | CloudSettings) -> Service:
    """Open the service that the settings describe. Raises `ServiceError`."""
    if isinstance(settings, Settings):
        return open_home(settings)
    from issuer.bootstrap.cloud import open_cloud  # boto3, which no home needs

    return open_cloud(settings)
