"""The ledger's SQLite file, written by several threads and processes: connections, transactions, errors.

WAL with synchronous=FULL: a transaction that was committed is on the disk, and readers don't wait.
"""

import fcntl
import os
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from issuer.adapters.system import identity, storing, sync_folder
from issuer.errors import StoreError

# What to say of SQLite's primary result codes (https://www.sqlite.org/rescode.html).
_EXPLAINED = {
    sqlite3.SQLITE_BUSY: "another process is writing for too long",
    sqlite3.SQLITE_CANTOPEN: "the file can't be opened (is its disk read-only, or the file another user's?)",
    sqlite3.SQLITE_CORRUPT: "the file is damaged",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "the disk failed or is full",
    sqlite3.SQLITE_NOTADB: "the file is not a ledger, or is damaged",
    sqlite3.SQLITE_READONLY: "the file or its folder is read-only",
}

APPLICATION_ID = 0x41544C47  # "ATLG"; PRAGMA application_id marks the file as ours
SCHEMA_VERSION = 1  # PRAGMA user_version

_ITEMS = """CREATE TABLE items (
    pk TEXT NOT NULL, sk TEXT NOT NULL, body TEXT NOT NULL, marked INTEGER NOT NULL,
    PRIMARY KEY (pk, sk)
) STRICT, WITHOUT ROWID"""

_PAGE_MIN = 512  # bytes; the smallest page of an SQLite file

_CREATING = threading.Lock()


@dataclass(slots=True)
class _Process:
    """What belongs to one process: SQLite's connections must not cross a fork."""

    pid: int = field(default_factory=os.getpid)
    idle: list[sqlite3.Connection] = field(default_factory=list)
    # Threads queue here, which is fair and prompt; SQLite's own waiting polls up to every 100 ms.
    writing: threading.Lock = field(default_factory=threading.Lock)


class Database:
    """The ledger's file at `path`, made (0600) if it is not there. A call waits `busy_timeout_s` for others.

    `read_only`: only reads, and nothing is made. SQLite needs a lock file to read a write-ahead log; where it
    can't have one, as on a read-only disk, a copy of ledger and log is read.

    Everything raises `StoreError` when SQLite fails. The connection that failed is not used again, so
    the next call works once the trouble is over.
    """

    def __init__(self, path: Path, busy_timeout_s: float, *, read_only: bool = False) -> None:
        self._path = path.absolute()
        self._mode = "ro" if read_only else "rw"
        self._busy_timeout_s = busy_timeout_s
        self._processes = [_Process()]
        with storing("open ledger", str(path)):
            if not read_only:
                self._create_file()
            self._identity = identity(self._path)
            # SQLite takes a file of less than a page for an empty one, and would write over it.
            if self._path.is_file() and 0 < self._path.stat().st_size < _PAGE_MIN:
                raise StoreError(f"ledger {path}: {_EXPLAINED[sqlite3.SQLITE_NOTADB]}")
        if read_only:
            self._prepare_reading()
        else:
            self._prepare()

    def close(self) -> None:
        """Close this process's idle connections; a later call opens new ones."""
        idle = self._process().idle
        while idle:
            idle.pop().close()

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A read transaction: one state of the ledger."""
        with self._connection() as connection, _transaction(connection, "BEGIN"):
            yield connection

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A write transaction: alone from its beginning, durable at its end, undone if anything is raised."""
        writing = self._process().writing
        if not writing.acquire(timeout=self._busy_timeout_s):
            raise StoreError(f"ledger {self._path}: another thread is writing for too long")
        try:
            with self._connection() as connection, _transaction(connection, "BEGIN IMMEDIATE"):
                yield connection
        finally:
            writing.release()

    def rewrite(self) -> None:
        """Leave nothing in the file and its write-ahead log but what the ledger holds now.

        `secure_delete` zeroes what is deleted, but B-trees leave copies behind when they move cells, and the
        log holds pages as they were. O(size) time and disk space; writers wait meanwhile.
        """
        writing = self._process().writing
        if not writing.acquire(timeout=self._busy_timeout_s):
            raise StoreError(f"ledger {self._path}: another thread is writing for too long")
        try:
            with self._connection() as connection:
                connection.execute("VACUUM")
                busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        finally:
            writing.release()
        if busy:
            raise StoreError(f"ledger {self._path}: its log was not emptied, another process reads too long")

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        with storing("use ledger", str(self._path)):
            if identity(self._path) != self._identity:
                raise StoreError(f"ledger {self._path} is another file than when it was opened")
        idle = self._process().idle
        connection = None
        try:
            connection = _popped(idle) or self._connect()
            yield connection
        except sqlite3.Error as error:
            if connection is not None:
                connection.close()
                connection = None
            raise self._failed(error) from error
        finally:
            if connection is not None:
                idle.append(connection)

    def _connect(self) -> sqlite3.Connection:
        # Never "rwc": a ledger that vanished is an error, not a new empty ledger.
        connection = sqlite3.connect(
            f"{self._path.as_uri()}?mode={self._mode}",
            uri=True,
            timeout=self._busy_timeout_s,
            isolation_level=None,
            check_same_thread=False,  # a connection is one thread's at a time: whoever popped it
        )
        try:
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("PRAGMA secure_delete = ON")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _create_file(self) -> None:
        # Not left to SQLite, which would make it readable for all. The lock: closing any descriptor
        # of a file drops the process's POSIX locks on it, those of SQLite's connections as well.
        with _CREATING, suppress(FileExistsError):
            os.close(os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
            sync_folder(self._path.parent)

    def _prepare(self) -> None:
        # One opener at a time: changing the journal mode fails at once, without waiting, beside another.
        with _CREATING, _only_opener(self._path.parent):
            with self.write() as connection:
                _prepare(connection, str(self._path))
            # Only now: it changes the file, which had to be seen to be a ledger. It stays with the file.
            with self._connection() as connection:
                mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        if mode != "wal":
            raise StoreError(f"ledger {self._path}: SQLite can't use a write-ahead log on this file system")

    def _prepare_reading(self) -> None:
        try:
            with self.read() as connection:
                _check(connection, str(self._path))
        except StoreError as error:
            if not isinstance(error.__cause__, sqlite3.OperationalError):
                raise
            self._read_copy()
            with self.read() as connection:
                _check(connection, str(self._path))

    def _read_copy(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="attestlayer-")  # goes with this object
        copy = Path(self._folder.name, self._path.name)
        with storing("copy ledger", str(self._path)):
            for suffix in ("", "-wal"):
                with suppress(FileNotFoundError):
                    shutil.copyfile(f"{self._path}{suffix}", f"{copy}{suffix}")
            self._path, self._mode = copy, "rw"
            self._identity = identity(copy)

    def _process(self) -> _Process:
        """This process's part. What a parent opened stays referenced, so that nothing closes it here."""
        if self._processes[-1].pid != os.getpid():
            self._processes.append(_Process())
        return self._processes[-1]

    def _failed(self, error: sqlite3.Error) -> StoreError:
        code = getattr(error, "sqlite_errorcode", 0)
        explained = _EXPLAINED.get(code & 0xFF, "SQLite failed")
        name = getattr(error, "sqlite_errorname", type(error).__name__)
        return StoreError(f"ledger {self._path}: {explained}: {error} ({name})")


def _prepare(connection: sqlite3.Connection, name: str) -> None:
    """Make the table in an empty file, or check that the file is a ledger. Leaves any other file as it is."""
    if _marks(connection) == (0, 0, 0):
        connection.execute(_ITEMS)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    else:
        _check(connection, name)


def _marks(connection: sqlite3.Connection) -> tuple[int, int, int]:
    """The file's application, schema version and number of tables."""
    queries = ("PRAGMA application_id", "PRAGMA user_version", "SELECT count(*) FROM sqlite_schema")
    application, version, tables = (int(connection.execute(query).fetchone()[0]) for query in queries)
    return application, version, tables


def _check(connection: sqlite3.Connection, name: str) -> None:
    """Check that the file is a ledger of this version. Raises `StoreError`."""
    application, version, _ = _marks(connection)
    if application != APPLICATION_ID:
        raise StoreError(f"{name} is an SQLite database of something else, not a ledger")
    if version != SCHEMA_VERSION:
        raise StoreError(
            f"ledger {name} has schema version {version}, this program knows up to {SCHEMA_VERSION}: "
            "use the newer program that wrote it"
        )


@contextmanager
def _only_opener(folder: Path) -> Iterator[None]:
    """Hold the folder's lock against other processes that open a ledger in it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _popped(idle: list[sqlite3.Connection]) -> sqlite3.Connection | None:
    # Not looked at first: another thread could take the last one in between.
    with suppress(IndexError):
        return idle.pop()
    return None


@contextmanager
def _transaction(connection: sqlite3.Connection, begin: str) -> Iterator[None]:
    connection.execute(begin)
    try:
        yield
        connection.execute("COMMIT")
    except sqlite3.Error:
        raise  # the connection is closed, which rolls back
    except BaseException:
        connection.execute("ROLLBACK")
        raise
