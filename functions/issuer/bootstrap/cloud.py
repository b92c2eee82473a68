"""Puts the service together in the cloud: S3, DynamoDB, KMS.

A function needs the IAM actions of the adapters that it uses and no others. A key is opened only when it is
to sign, so functions that never sign need no right to KMS.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from obstore.auth.boto3 import Boto3CredentialProvider

from attestlayer.log.layout import headers_of
from attestlayer.log.notices import Role
from issuer.adapters.aws.kms import Binding, KmsSigner, WrappedKey, wrap_seed
from issuer.adapters.aws.s3 import S3Place, S3Store
from issuer.adapters.aws.table import DynamoTable
from issuer.adapters.aws.transfers import S3Clock, S3Transfers
from issuer.adapters.binder.renderer import TypstBinder
from issuer.adapters.examiner.pool import ExaminerPool
from issuer.adapters.local.scratch import Scratch
from issuer.adapters.system import SystemClock, SystemEntropy
from issuer.bootstrap.service import Service
from issuer.errors import Code, ObjectConflictError, ServiceError
from issuer.intake.catalogue import load_policies
from issuer.ledger.ledger import Ledger
from issuer.log.state import HEAD
from issuer.log.watch import ClockWatch
from issuer.ports import ObjectStore, Signer
from issuer.settings import CloudSettings, KeySource, examiner_environment

if TYPE_CHECKING:
    from botocore.config import _S3Dict

SCRATCH = Path("/tmp/attestlayer")  # noqa: S108
"""The only place that a Lambda function can write to.

Each process of a machine has its own folder below it.
"""

_SEED_LENGTH = 32

# The ledger's adapter settles lost answers itself, so its client must not retry. Calls of KMS can be
# repeated.
_ONCE = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=10, max_pool_connections=32)
_PATIENT = Config(retries={"total_max_attempts": 4, "mode": "standard"}, connect_timeout=2, read_timeout=5)


class CloudSigners(Mapping[str, Signer]):
    """Signers of one role by kid. All are opened when the first one is asked for: a request or two each."""

    def __init__(self, open_signer: Callable[[KeySource], Signer], sources: tuple[KeySource, ...]) -> None:
        self._open_signer = open_signer
        self._sources = sources
        self._opened: dict[str, Signer] | None = None
        self._opening = threading.Lock()

    def __getitem__(self, kid: str) -> Signer:
        return self._signers()[kid]

    def __iter__(self) -> Iterator[str]:
        return iter(self._signers())

    def __len__(self) -> int:
        return len(self._sources)

    def _signers(self) -> dict[str, Signer]:
        with self._opening:  # threads of one process open the keys once
            if self._opened is None:
                opened = map(self._open_signer, self._sources)
                self._opened = {signer.public.kid: signer for signer in opened}
            return self._opened


class Cloud:
    """Makes the clients of one account and region, which share one session and its credentials."""

    def __init__(self, settings: CloudSettings) -> None:
        self._settings = settings
        self._session = boto3.Session(region_name=settings.region)
        self.place = S3Place(settings.region, settings.endpoint_url, Boto3CredentialProvider(self._session))

    def client(self, name: str, config: Config) -> Any:
        """A new boto3 client for the service `name`. Makes no request."""
        return self._session.client(
            name,  # type: ignore[call-overload]
            endpoint_url=self._settings.endpoint_url,
            config=config,
        )

    def s3(self) -> Any:
        """The S3 client for presigning and the store's clock. Other servers take buckets in the path."""
        addressing: _S3Dict = {"addressing_style": "path" if self._settings.endpoint_url else "virtual"}
        return self.client("s3", _PATIENT.merge(Config(signature_version="s3v4", s3=addressing)))

    def signers(self, role: Role, private: ObjectStore) -> CloudSigners:
        """The role's signers as the settings name them. Opens none yet."""
        settings = self._settings
        sources = settings.registry_keys if role is Role.REGISTRY else settings.issuer_keys
        binding = Binding(role, settings.origin)

        def open_signer(source: KeySource) -> Signer:
            kms = self.client("kms", _PATIENT)
            if source.wrapped is None:
                return KmsSigner(kms, source.kms_key, binding)
            wrapped = private.read(source.wrapped)
            if wrapped is None:
                raise ServiceError(
                    Code.KEY_UNUSABLE,
                    f"the {role.value} key's object {source.wrapped} is missing: `issuer init` makes it",
                )
            return WrappedKey(kms, source.kms_key, binding, wrapped)

        return CloudSigners(open_signer, sources)


def open_cloud(settings: CloudSettings) -> Service:
    """The service in the cloud. Makes no request, for a short cold start. Raises `ServiceError`."""
    cloud = Cloud(settings)
    clock = SystemClock()
    public = S3Store(settings.registry_bucket, cloud.place, headers_of)
    private = S3Store(settings.private_bucket, cloud.place)
    ledger = Ledger(DynamoTable(cloud.client("dynamodb", _ONCE), settings.table))
    s3 = cloud.s3()
    return Service(
        origin=settings.origin,
        settings=settings,
        clock=clock,
        entropy=SystemEntropy(),
        ledger=ledger,
        public=public,
        private=private,
        catalogue=load_policies(),
        transfers=S3Transfers(s3, settings.private_bucket, clock),
        examiner=ExaminerPool(examiner_environment()),
        renderer=TypstBinder(),
        issuer_signers=cloud.signers(Role.ISSUER, private),
        registry_signers=cloud.signers(Role.REGISTRY, private),
        scratch=Scratch(SCRATCH),
        watch=ClockWatch(clock, S3Clock(s3, settings.private_bucket).now),
    )


def initialise_cloud(settings: CloudSettings) -> Service:
    """Make whatever is missing: wrapped keys, genesis, policies and pages. Run again, it changes nothing.

    Needs the buckets, the table and the KMS keys, which the template makes. Raises `ServiceError`.
    """
    service = open_cloud(settings)
    service.probe.run()
    cloud = Cloud(settings)
    for role, sources in ((Role.REGISTRY, settings.registry_keys), (Role.ISSUER, settings.issuer_keys)):
        for source in sources:
            if source.wrapped is not None and not service.private.exists(source.wrapped):
                _make_wrapped(cloud, service, source, role)
    service.start()
    return service


def _make_wrapped(cloud: Cloud, service: Service, source: KeySource, role: Role) -> None:
    """Make a seed and store it wrapped. If two run at once, the first one stored counts."""
    assert source.wrapped is not None
    # With a log its notices name a key that no new seed can replace.
    if service.private.exists(HEAD):
        raise ServiceError(
            Code.KEY_UNUSABLE,
            f"the {role.value} key's object {source.wrapped} is missing beside a log: it is restored, never "
            "made anew; see the page on recovery",
        )
    binding = Binding(role, service.origin)
    seed = service.entropy.token(_SEED_LENGTH)
    wrapped = wrap_seed(cloud.client("kms", _PATIENT), source.kms_key, binding, seed)
    # Create-only: a key that lost the race has signed nothing and is forgotten.
    with suppress(ObjectConflictError):
        service.private.create(source.wrapped, wrapped)
