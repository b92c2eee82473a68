"""The table in SQLite where it is more than its port: the file, its damage, its disk."""

import multiprocessing
import multiprocessing.synchronize
import os
import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from contract.records import ANSWER, NOW, acceptance, claim, grant, packet, workspace
from issuer.adapters.local.database import Database
from issuer.adapters.local.table import SqliteTable
from issuer.errors import StoreError
from issuer.ledger.ledger import Ledger
from issuer.model import Answer, PacketState, QueuedNotice
from issuer.ports import Key
from unit.adapters.disks import Limit, SmallDisk

LARGE = QueuedNotice("large", b"x" * 500_000)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def ledger(path: Path) -> Ledger:
    return Ledger(SqliteTable(path))


def table(ledger: Ledger) -> SqliteTable:
    assert isinstance(ledger.table, SqliteTable)
    return ledger.table


def change(path: Path, statement: str, *values: object) -> None:
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(statement, values)
    connection.close()


# The file


def test_only_its_owner_reads_the_ledger(path: Path, ledger: Ledger) -> None:
    ledger.add_workspace(workspace())
    files = list(path.parent.iterdir())
    assert path in files
    assert {stat.S_IMODE(each.stat().st_mode) for each in files} == {0o600}


def test_every_connection_syncs_each_transaction(path: Path) -> None:
    database = Database(path, 1.0)
    with database.read() as first, database.write() as second:
        assert first is not second
        for connection in (first, second):
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
            assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # 2: FULL


def test_a_connection_is_used_again(path: Path) -> None:
    database = Database(path, 1.0)
    with database.read() as first:
        pass
    with database.write() as second:
        assert first is second


def test_closing_merges_the_log_and_later_calls_open_again(path: Path, ledger: Ledger) -> None:
    ledger.add_workspace(workspace())
    table(ledger).close()
    assert list(path.parent.iterdir()) == [path]
    assert ledger.workspaces() == (workspace(),)


def test_an_empty_file_of_a_crash_while_opening_becomes_a_ledger(path: Path) -> None:
    path.touch()
    assert Ledger(SqliteTable(path)).workspaces() == ()


def test_many_threads_can_open_a_new_ledger_at_once(path: Path) -> None:
    def use(n: int) -> None:
        Ledger(SqliteTable(path)).post_credits(grant(n, 1))

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(use, range(16)))
    assert Ledger(SqliteTable(path)).balance("wks_1") == 16


def test_a_forked_child_leaves_the_parents_connections_alone(path: Path) -> None:
    database = Database(path, 1.0)
    with database.read() as parents:
        pass

    def use() -> None:
        with database.read() as own:
            assert own is not parents
        database.close()

    child = multiprocessing.get_context("fork").Process(target=use)
    child.start()
    child.join()
    assert child.exitcode == 0
    with database.read() as again:
        assert again is parents


def test_parent_and_children_write_after_a_fork(ledger: Ledger) -> None:
    ledger.post_credits(grant(0, 1))
    context = multiprocessing.get_context("fork")

    def use(n: int) -> None:
        for turn in range(20):
            ledger.post_credits(grant(1 + 100 * n + turn, 1))

    children = [context.Process(target=use, args=(n,)) for n in (1, 2)]
    for child in children:
        child.start()
    use(0)
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0, 0]
    assert ledger.balance("wks_1") == 61


# Files that are no ledger, or a damaged one


@pytest.mark.parametrize("data", [b"not a database" * 100, b"x"])
def test_a_file_that_is_no_database_is_told_and_left_alone(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    with pytest.raises(StoreError, match="not a ledger"):
        Ledger(SqliteTable(path))
    assert path.read_bytes() == data


def test_a_database_of_something_else_is_told_and_left_alone(path: Path) -> None:
    change(path, "CREATE TABLE songs (title TEXT)")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="something else, not a ledger"):
        Ledger(SqliteTable(path))
    assert path.read_bytes() == before


def test_a_ledger_of_a_newer_program_is_told_and_left_alone(path: Path, ledger: Ledger) -> None:
    table(ledger).close()
    change(path, "PRAGMA user_version = 2")
    with pytest.raises(StoreError, match="schema version 2, this program knows up to 1"):
        Ledger(SqliteTable(path))
    change(path, "PRAGMA user_version = 1")
    Ledger(SqliteTable(path))


def test_a_folder_in_the_ledgers_place_is_told(path: Path) -> None:
    path.mkdir()
    with pytest.raises(StoreError, match=r"ledger\.db: the file can't be opened"):
        Ledger(SqliteTable(path))


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"open ledger .*ENOENT"):
        Ledger(SqliteTable(tmp_path / "missing" / "ledger.db"))


def test_a_damaged_file_is_told(path: Path, ledger: Ledger) -> None:
    for n in range(200):
        ledger.add_workspace(workspace(f"wks_{n:03}"))
    table(ledger).close()
    data = bytearray(path.read_bytes())
    data[4096:] = os.urandom(len(data) - 4096)
    path.write_bytes(data)
    damaged = Ledger(SqliteTable(path))
    for call in (damaged.workspaces, lambda: damaged.add_workspace(workspace("wks_new"))):
        with pytest.raises(StoreError, match="the file is damaged"):
            call()


def test_a_page_that_is_out_of_order_is_damage(path: Path, ledger: Ledger) -> None:
    for n in range(200):
        ledger.add_workspace(workspace(f"wks_{n:03}"))
    table(ledger).close()
    data = path.read_bytes()
    path.write_bytes(data.replace(b"id#wks_150[", b"id#wks_050["))
    assert "SQLite's integrity check: " in "\n".join(Ledger(SqliteTable(path)).damage())


def test_damage_in_a_file_that_can_not_be_read_at_all_is_an_error(path: Path, ledger: Ledger) -> None:
    ledger.add_workspace(workspace())
    table(ledger).close()
    data = path.read_bytes()
    path.write_bytes(data[:4096] + b"\xff" * (len(data) - 4096))
    with pytest.raises(StoreError, match="damaged"):
        Ledger(SqliteTable(path)).damage()


@pytest.mark.parametrize("put_another", [True, False])
def test_a_ledger_that_was_moved_away_is_not_written_on(
    path: Path, ledger: Ledger, put_another: bool
) -> None:
    ledger.add_workspace(workspace())
    table(ledger).close()
    path.rename(path.with_name("elsewhere.db"))
    if put_another:
        SqliteTable(path).close()
    with pytest.raises(StoreError):
        ledger.workspaces()
    with pytest.raises(StoreError):
        ledger.add_workspace(workspace("wks_2"))
    assert path.exists() is put_another


# Trouble that passes


def test_a_busy_ledger_is_told_and_works_afterwards(path: Path) -> None:
    ledger = Ledger(SqliteTable(path, busy_timeout_s=0.0))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="another process is writing for too long"):
        ledger.add_workspace(workspace())
    assert ledger.workspaces() == (), "readers don't wait"
    other.execute("ROLLBACK")
    other.close()
    ledger.add_workspace(workspace())


def test_a_file_that_can_not_grow_is_told_and_works_afterwards(
    path: Path, ledger: Ledger, file_size_limit: Limit
) -> None:
    ledger.add_workspace(workspace())
    with file_size_limit(200_000), pytest.raises(StoreError, match="the disk failed or is full"):
        ledger.queue_notice(LARGE)
    assert ledger.queued_notices() == ()
    ledger.queue_notice(LARGE)
    assert ledger.queued_notices() == (LARGE,)


def test_a_full_disk_is_told_nothing_is_half_done_and_it_works_afterwards(small_disk: SmallDisk) -> None:
    ledger = Ledger(SqliteTable(small_disk.path / "ledger.db"))
    ledger.post_credits(grant(1, 5))
    for key in (claim(0), claim(1)):
        ledger.claim(key, NOW)
    ledger.create_packet(packet(1, PacketState.READY), claim(0), ANSWER, 9)
    filler = small_disk.fill()
    with pytest.raises(StoreError, match="the disk is full"):
        ledger.queue_notice(LARGE)
    with pytest.raises(StoreError, match="the disk is full"):
        for n in range(2, 1000):
            ledger.post_credits(grant(n, 1))
    lines = ledger.credit_entries("wks_1", None, 9999)
    assert ledger.balance("wks_1") == sum(line.amount for line in lines)
    with pytest.raises(StoreError, match="the disk is full"):
        ledger.accept(replace(acceptance(1), answer=Answer(200, b"x" * 500_000)))
    assert ledger.balance("wks_1") == sum(line.amount for line in lines)
    assert ledger.packet("pkt_000001") == packet(1, PacketState.READY)
    assert not ledger.nonce_used(acceptance(1).nonce_hash)
    filler.unlink()
    ledger.accept(acceptance(1))
    assert ledger.packet("pkt_000001") == acceptance(1).packet


def test_a_read_only_disk_is_told_and_works_afterwards(small_disk: SmallDisk) -> None:
    path = small_disk.path / "ledger.db"
    SqliteTable(path).close()
    small_disk.remount("ro")
    with pytest.raises(StoreError, match=r"the file or its folder is read-only|can't be opened"):
        Ledger(SqliteTable(path))
    small_disk.remount("rw")
    Ledger(SqliteTable(path)).add_workspace(workspace())


def _open_at_once(path: Path, barrier: "multiprocessing.synchronize.Barrier") -> None:
    barrier.wait()
    Ledger(SqliteTable(path)).noted_round()


def test_processes_that_make_the_same_ledger_at_once_all_open_it(tmp_path: Path) -> None:
    """SQLite changes the journal mode without waiting: two in 360 opens failed before they took turns."""
    context = multiprocessing.get_context("fork")
    for each in range(20):
        barrier = context.Barrier(6, timeout=60)
        place = tmp_path / f"{each}.db"
        openers = [context.Process(target=_open_at_once, args=(place, barrier)) for _ in range(6)]
        for opener in openers:
            opener.start()
        for opener in openers:
            opener.join(60)
        assert [opener.exitcode for opener in openers] == [0] * 6


def test_purging_leaves_no_byte_of_what_was_deleted_or_replaced(tmp_path: Path) -> None:
    table = SqliteTable(tmp_path / "ledger.sqlite")
    keys = [Key("p", f"{n:04}") for n in range(600)]
    bodies = {key: f"secret of {key.sk} " * (1 + n % 40) for n, key in enumerate(keys)}
    table.transact(lambda reader: (None, bodies))
    changes = {key: None if n % 3 else "short" for n, key in enumerate(keys) if n % 2}
    table.transact(lambda reader: (len(reader.get_many(changes)), changes))

    def left() -> set[str]:
        data = b"".join(path.read_bytes() for path in tmp_path.glob("ledger.sqlite*"))
        return {key.sk for key in changes if f"secret of {key.sk} ".encode() in data}

    assert left(), "the write-ahead log, at least, still has them"
    table.purge()
    assert left() == set()
    assert {item.key: item.body for item in table.scan()} == {
        key: changes.get(key, bodies[key]) for key in keys if changes.get(key, "") is not None
    }


def test_a_purge_that_a_reader_hinders_is_said_and_can_be_made_again(tmp_path: Path) -> None:
    table = SqliteTable(tmp_path / "ledger.sqlite", busy_timeout_s=0.2)
    table.transact(lambda reader: (None, {Key("p", "1"): "text"}))
    other = sqlite3.connect(tmp_path / "ledger.sqlite", isolation_level=None)
    other.execute("BEGIN")
    other.execute("SELECT * FROM items").fetchall()
    with pytest.raises(StoreError, match="its log was not emptied"):
        table.purge()
    other.execute("COMMIT")
    other.close()
    table.purge()
