"""Puts the prover together alone: it needs only the public store, which keeps its cold start short."""

from functools import cache

from attestlayer.log.layout import headers_of
from issuer.services.prove import Prover
from issuer.settings import CloudSettings, read_settings, tells_of_cloud


def prover() -> Prover:
    """This process's prover.

    In the cloud it has the public bucket alone, and obstore finds the credentials.
    """
    if tells_of_cloud():
        return _cloud_prover()
    from issuer.bootstrap.process import service  # opens a whole home, of which the cloud has no need

    return service().prover


@cache
def _cloud_prover() -> Prover:
    from issuer.adapters.aws.s3 import S3Place, S3Store

    settings = read_settings()
    assert isinstance(settings, CloudSettings)
    place = S3Place(settings.region, settings.endpoint_url)
    return Prover(S3Store(settings.registry_bucket, place, headers_of))
