"""The service of this process: from its settings, or the one that was handed in."""

from issuer.bootstrap.home import open_home
from issuer.bootstrap.service import Service
from issuer.settings import CloudSettings, Settings, read_settings

_used: list[Service] = []


def use(made: Service) -> None:
    """Make `made` the service of this process, in place of what its settings name."""
    _used[:] = [made]


def service() -> Service:
    """The service of this process: the one given to `use`, else from its settings; made once."""
    if not _used:
        use(open_service(read_settings()))
    return _used[0]


def open_service(settings: Settings | CloudSettings) -> Service:
    """The service that the settings name. Raises `ServiceError`."""
    if isinstance(settings, Settings):
        return open_home(settings)
    from issuer.bootstrap.cloud import open_cloud  # boto3, which no home needs

    return open_cloud(settings)
