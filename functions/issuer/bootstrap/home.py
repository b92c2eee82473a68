"""Puts the service together in a home: a folder of files with an SQLite ledger."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from attestlayer.canonical import format_json, parse_json, take_document, take_value
from attestlayer.encoding import parse_origin
from issuer.adapters.binder.renderer import TypstBinder
from issuer.adapters.examiner.pool import ExaminerPool
from issuer.adapters.local.directory import DirectoryStore
from issuer.adapters.local.keys import KeyRole, LocalKey, create_key
from issuer.adapters.local.scratch import Scratch
from issuer.adapters.local.table import SqliteTable
from issuer.adapters.local.transfers import LocalTransfers
from issuer.adapters.system import SystemClock, SystemEntropy
from issuer.bootstrap.service import Service
from issuer.errors import Code, ObjectConflictError, ServiceError
from issuer.intake.catalogue import load_policies
from issuer.ledger.ledger import Ledger
from issuer.log.state import HEAD
from issuer.log.watch import ClockWatch
from issuer.ports import ObjectStore, Signer
from issuer.settings import Settings, examiner_environment

HOME_FILE = "settings/attestlayer.json"
REGISTRY_FOLDER = "registry"

_KEYS = "keys"
_SECRET = "transfer.secret"  # noqa: S105
_FIRST_MADE = frozenset({"settings", "state", _KEYS})
"""All that a home can contain if `issuer init` was killed before it stored `HOME_FILE`."""


def initialise_home(settings: Settings, origin: str) -> Service:
    """Make a home and start its log, or continue where an earlier run stopped. Raises `ServiceError`.

    Any number may run at once: each file is create-only, and the first one stored counts.
    """
    origin = _parse_origin(origin)
    home = settings.home
    _make_folders(home)
    entropy = SystemEntropy()
    settings_store = DirectoryStore(home / "settings", state=home / "state" / "settings", private=True)
    # Before the keys: a key is bound to an origin, and a home with keys but no origin is refused.
    _store_home_file(settings_store, origin)
    for role in KeyRole:
        path = _key_path(home, role)
        if not path.exists():
            _ensure(partial(create_key, path, role, origin, entropy))
    if not settings_store.exists(_SECRET):
        _ensure(partial(settings_store.create, _SECRET, entropy.token(32)))
    service = open_home(settings)
    service.probe.run()
    # Genesis names the first keys of both roles, so they must exist before it.
    service.start()
    return service


def open_home(settings: Settings, *, read_only: bool = False) -> Service:
    """The service of a home; `read_only`: the home may be, and nothing in it is changed.

    Raises `ServiceError` (HOME_UNUSABLE, KEY_UNUSABLE).
    """
    home, origin = settings.home, _read_origin(settings.home)
    clock = SystemClock()
    public, private, ledger = _open_stores(home, read_only=read_only)
    return Service(
        origin=origin,
        settings=settings,
        clock=clock,
        entropy=SystemEntropy(),
        ledger=ledger,
        public=public,
        private=private,
        catalogue=load_policies(),
        transfers=LocalTransfers(_read_secret(home), settings.base_url, clock),
        examiner=ExaminerPool(examiner_environment()),
        renderer=TypstBinder(),
        issuer_signers=_signers(home, KeyRole.ISSUER, origin),
        registry_signers=_signers(home, KeyRole.REGISTRY, origin),
        scratch=None if read_only else Scratch(home / "state" / "scratch"),
        watch=ClockWatch(clock),
    )


def _open_stores(home: Path, *, read_only: bool) -> tuple[DirectoryStore, DirectoryStore, Ledger]:
    """The public store, the private store, and the ledger. Raises `ServiceError`."""
    public = DirectoryStore(home / REGISTRY_FOLDER, state=home / "state" / "registry", read_only=read_only)
    state = home / "state" / "private"
    private = DirectoryStore(home / "private", state=state, private=True, read_only=read_only)
    table = SqliteTable(_check_ledger(home / "ledger.sqlite", private), read_only=read_only)
    return public, private, Ledger(table)


def _signers(home: Path, role: KeyRole, origin: str) -> dict[str, Signer]:
    """The home's one key of a role, by its kid. Raises `ServiceError` (KEY_UNUSABLE)."""
    key = LocalKey(_key_path(home, role), role, origin)
    return {key.public.kid: key}


def _ensure(make: Callable[[], object]) -> None:
    """Make a file of the home. If another initialiser was faster, its file counts."""
    try:
        make()
    except ObjectConflictError:
        return
    except ServiceError as error:
        if error.code is not Code.ALREADY_EXISTS:
            raise


def _check_ledger(path: Path, private: ObjectStore) -> Path:
    """Refuse to make a new ledger for an existing log: accepted leaves that are not public would be lost."""
    # An empty file counts as missing: SQLite would take it for a new database.
    if private.exists(HEAD) and not (path.exists() and path.stat().st_size):
        raise ServiceError(
            Code.HOME_UNUSABLE,
            f"the ledger {path} is missing or empty beside a log; see the page on recovery",
        )
    return path


def _key_path(home: Path, role: KeyRole) -> Path:
    return home / _KEYS / f"{role.value}.key"


def _keys_in(home: Path) -> Path | None:
    """Any key file of the home, or None."""
    return next((path for role in KeyRole if (path := _key_path(home, role)).exists()), None)


def _make_folders(home: Path) -> None:
    """Make the home's folders, or refuse a folder that is something else. Raises `ServiceError`."""
    try:
        # Keys and other files are looked for before the home file: another initialiser stores that one first,
        # so whatever of its work is seen here, its home file is seen too.
        key_file = _keys_in(home)
        others = {entry.name for entry in home.iterdir()} - _FIRST_MADE if home.exists() else set()
        if not (home / HOME_FILE).exists():
            # A home is a folder that `issuer init` made: files of another program are never mixed with its
            # own, and served or backed up along with them.
            if others:
                raise ServiceError(
                    Code.HOME_UNUSABLE,
                    f"{home} holds other files and no {HOME_FILE}: name an empty or new folder",
                )
            # Keys without a home file: those of a log whose home was lost in part. A key that signed one log
            # must never sign another, or the two would look like a fork.
            if key_file:
                raise ServiceError(
                    Code.KEY_UNUSABLE,
                    f"{key_file} is there and no {HOME_FILE}: a home makes its own keys, and no key serves "
                    "two logs",
                )
        for folder in (home, home / _KEYS):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ServiceError(Code.HOME_UNUSABLE, f"{home}: {error.strerror}") from error


def _store_home_file(store: ObjectStore, origin: str) -> None:
    try:
        store.create(Path(HOME_FILE).name, format_json({"schema": "attestlayer/home/1", "origin": origin}))
    except ObjectConflictError as error:
        home_file = (store.read(Path(HOME_FILE).name) or b"").decode("utf-8", "replace")
        raise ServiceError(
            Code.HOME_UNUSABLE, f"the home is one already, {home_file}; wanted {origin}"
        ) from error


def _read_origin(home: Path) -> str:
    try:
        data = (home / HOME_FILE).read_bytes()
        return take_value(take_document(parse_json(data), "home", ("origin",)), "origin", parse_origin)
    except FileNotFoundError as error:
        raise ServiceError(
            Code.HOME_UNUSABLE,
            f"{home} is not a home: it has no {HOME_FILE}. `issuer init --home {home}` makes one",
        ) from error
    except OSError as error:
        raise ServiceError(Code.HOME_UNUSABLE, f"{home}: {error.strerror}") from error
    except ValueError as error:
        raise ServiceError(Code.HOME_UNUSABLE, f"{home / HOME_FILE} is damaged: {error}") from error


def _read_secret(home: Path) -> bytes:
    try:
        return (home / "settings" / _SECRET).read_bytes()
    except OSError as error:
        raise ServiceError(
            Code.HOME_UNUSABLE,
            f"{home / 'settings' / _SECRET}: {error.strerror}; `issuer init` goes on where it stopped",
        ) from error


def _parse_origin(text: str) -> str:
    try:
        return parse_origin(text)
    except ValueError as error:
        raise ServiceError(Code.INVALID_REQUEST, f"origin: {error}") from error
