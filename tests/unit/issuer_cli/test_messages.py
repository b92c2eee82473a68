"""Mistakes that an operator makes with `issuer`: each message names what was wrong, and nothing else."""

import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from issuer.cli.main import main
from issuer.local.single import only_server
from unit.issuer_cli.test_commands import WIRE, Operator, operator

__all__ = ["operator"]


def usage(operator: Operator, *words: str | Path) -> str:
    """What a command line that is not understood gets on stderr."""
    with pytest.raises(SystemExit) as ended:
        operator(*words)
    assert ended.value.code == 64
    return operator.capture.readouterr().err


@pytest.mark.parametrize("group", [[], ["packet"], ["workspace"], ["qualify"], ["kit"]])
def test_without_a_command_the_help_is_printed_and_nothing_done(
    capsys: pytest.CaptureFixture[str], group: list[str]
) -> None:
    assert main(group) == 64
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"usage: {' '.join(['issuer', *group])} ")
    assert "--help" in err
    assert "COMMAND" in err


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("issuer ")


def test_a_finished_kit_goes_to_a_new_file_only(operator: Operator, tmp_path: Path) -> None:
    packet = operator.open(operator.provision())
    (tmp_path / "kit.zip").write_text("mine")
    assert operator("packet", "kit", packet, "-o", tmp_path / "kit.zip") == 2
    assert operator.err == (
        f"issuer: {tmp_path / 'kit.zip'} exists already: name a new file, none is overwritten\n"
    )
    assert (tmp_path / "kit.zip").read_text() == "mine"
    assert operator("packet", "kit", packet, "-o", tmp_path / "no/kit.zip") == 2
    assert f"there is no folder {tmp_path / 'no'}" in operator.err


def test_a_record_that_is_not_there_is_said_not_to_be(operator: Operator, tmp_path: Path) -> None:
    packet = operator.open(operator.provision())
    for more in ((), ("--type", "approval")):
        assert operator("packet", "add", packet, tmp_path / "missing.pdf", *more) == 2
        assert operator.err == f"issuer: {tmp_path / 'missing.pdf'}: there is no such file or folder\n"
    (tmp_path / "there.pdf").write_bytes(b"%PDF")
    assert operator("packet", "add", packet, tmp_path / "there.pdf") == 2
    assert "a single file needs --type, one of authority, payment-instruction" in operator.err


def test_options_for_a_single_file_are_not_ignored_with_a_folder(operator: Operator) -> None:
    packet = operator.open(operator.provision())
    for option in (("--type", "approval"), ("--meta", "a=b")):
        assert operator("packet", "add", packet, WIRE, *option) == 2
        assert "--type and --meta are for a single file" in operator.err


@pytest.mark.parametrize("kind", ["missing", "folder", "too large"])
def test_a_nonce_file_that_can_not_be_read_is_no_record(
    operator: Operator, tmp_path: Path, kind: str
) -> None:
    packet = operator.open(operator.provision())
    place = tmp_path / "nonce.txt"
    if kind == "folder":
        place.mkdir()
    elif kind == "too large":
        place.write_bytes(bytes(1025))
    assert operator("packet", "issue", packet, "--nonce", place) == 2
    assert operator.err.startswith(f"issuer: {place}")
    assert "record" not in operator.err


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (("kit", "withdraw", "w", "k", "--reason", "foo"), "'issued-in-error', 'records-in-error'"),
        (("workspace", "provision", "x", "--tier", "foo"), "'starter', 'growth', 'portfolio'"),
        (("qualify", "receive", "--tier", "foo", "--contact", "a,b@c,d", "--workflow", "w"), "'starter'"),
    ],
)
def test_a_word_that_is_none_of_a_list_is_answered_with_the_list(
    operator: Operator, words: tuple[str, ...], wanted: str
) -> None:
    said = usage(operator, *words)
    assert f"'foo' (choose from {wanted}" in said
    assert "<" not in said  # no enum's repr


BLANK = ("", "   ", "\u3000\t")


@pytest.mark.parametrize("blank", BLANK)
@pytest.mark.parametrize(
    "words",
    [
        ("workspace", "provision", "{}", "--tier", "starter"),
        ("workspace", "grant", "w", "1", "--reference", "{}"),
        ("workspace", "key", "w", "--label", "{}"),
        ("qualify", "receive", "--tier", "starter", "--contact", "a,b@c,d", "--workflow", "{}"),
        ("qualify", "receive", "--tier", "starter", "--contact", "{},b@c,d", "--workflow", "w"),
        ("qualify", "accept", "q", "--scope", "{}", "--boundaries", "b"),
        ("qualify", "decline", "q", "--scope", "s", "--boundaries", "{}"),
        ("qualify", "accept", "q", "--scope", "s", "--boundaries", "b", "--by", "{}"),
        ("packet", "open", "w", "l", "p", "--reference", "{}"),
        ("packet", "add", "p", "f", "--type", "{}"),
        ("packet", "issue", "p", "--nonce", "n", "--key", "{}"),
    ],
)
def test_no_text_that_is_stored_may_be_blank(operator: Operator, words: tuple[str, ...], blank: str) -> None:
    assert "found '" in usage(operator, *(word.format(blank) for word in words))


@pytest.mark.parametrize(
    "words",
    [
        ("packet", "add", "p", "{}", "--type", "t"),
        ("packet", "issue", "p", "--nonce", "{}"),
        ("packet", "kit", "p", "-o", "{}"),
        ("audit", "--trust", "{}"),
        ("audit", "--home", "{}"),
    ],
)
def test_an_empty_path_is_not_the_current_folder(operator: Operator, words: tuple[str, ...]) -> None:
    assert "wanted the name of a file or folder" in usage(operator, *(word.format("") for word in words))


def test_text_that_is_not_utf_8_is_refused_where_it_is_typed(operator: Operator, tmp_path: Path) -> None:
    odd = "\udcff"  # as Python gets the byte FF in an argument
    workspace = operator.provision()
    packet = operator.open(workspace)
    for words in (
        ("workspace", "provision", odd, "--tier", "starter"),
        ("packet", "open", workspace, "PAY-01", "wire-transfer", "--reference", odd),
        ("packet", "add", packet, WIRE, "--meta", f"a={odd}"),
        ("packet", "issue", packet, "--nonce", "n", "--key", odd),
    ):
        assert r"\udcff" in usage(operator, *words)
    (tmp_path / f"n{odd}.txt").write_text("note")
    assert operator("packet", "add", packet, tmp_path / f"n{odd}.txt", "--type", "approval") == 2
    assert "rename the file" in operator.err
    operator("packet", "show", packet)
    assert "record " not in operator.out


@pytest.mark.parametrize("number", ["4_2", "-1", "1000001", "1.5", "٤"])
def test_credits_are_a_decimal_number_in_range(operator: Operator, number: str) -> None:
    said = usage(operator, "workspace", "provision", "x", "--tier", "starter", f"--credits={number}")
    assert "is not a decimal integer from 0 to 1000000" in said


def test_a_second_decision_names_the_first_and_speaks_of_no_packet(operator: Operator) -> None:
    contact = ("--contact", "Dana,dana@advisory.example,owner")
    operator("qualify", "receive", "--tier", "growth", *contact, "--workflow", "KYC")
    name = operator.found(r"qual_\w+")
    decide = ("--scope", "payments", "--boundaries", "no advice", "--by", "Marit")
    assert operator("qualify", "accept", name, *decide) == 0
    assert operator("qualify", "accept", name, *decide) == 2
    assert "packet" not in operator.err
    assert "was accepted on 20" in operator.err
    assert "by 'Marit'" in operator.err


def test_packets_are_listed_with_the_newest_first(operator: Operator) -> None:
    first, second = operator.provision(), operator.provision()
    packets = [operator.open(first), operator.open(first), operator.open(second)]
    assert operator("packet", "list", first) == 0
    assert [line.split()[0] for line in operator.out.splitlines()] == [packets[1], packets[0]]
    assert operator("packet", "list") == 0
    assert {line.split()[0] for line in operator.out.splitlines()} == set(packets)
    assert operator("packet", "list", "ws_nobody") == 2
    assert "ws_nobody" in operator.err


def test_a_second_server_of_a_home_is_refused_and_names_the_first(operator: Operator) -> None:
    with only_server(operator.home):
        assert operator("serve", "--port", "0") == 2
    assert "is served already, by process" in operator.err
    assert str(os.getpid()) in operator.err
    with only_server(operator.home):  # the lock was given back
        pass


def test_after_a_fail_and_completion_the_same_nonce_issues_and_after_a_pass_it_replays(
    operator: Operator, tmp_path: Path
) -> None:
    workspace = operator.provision()
    packet, nonce = operator.open(workspace), operator.nonce("n")
    for _ in range(2):  # a FAIL is evaluated again: its answer would soon be out of date
        assert operator("packet", "issue", packet, "--nonce", nonce) == 3
    assert operator("packet", "add", packet, WIRE) == 0
    assert operator("packet", "issue", packet, "--nonce", nonce) == 0
    kit = operator.found(r"kit_\w+")
    assert operator("packet", "issue", packet, "--nonce", nonce) == 0  # as after a lost answer
    assert operator.found(r"kit_\w+") == kit
    assert operator.balance(workspace) == 2


def test_a_retry_after_a_crash_between_evaluation_and_acceptance_is_the_same_attempt(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    from issuer.ledger.ledger import Ledger

    workspace = operator.provision()
    packet, nonce = operator.open(workspace), operator.nonce("n")
    operator("packet", "add", packet, WIRE)
    accept = Ledger.accept

    def lost(ledger: Ledger, acceptance: object) -> None:
        accept(ledger, acceptance)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    monkeypatch.setattr(Ledger, "accept", lost)
    assert operator("packet", "issue", packet, "--nonce", nonce) == 130  # accepted; the answer was lost
    monkeypatch.setattr(Ledger, "accept", accept)
    assert operator("packet", "issue", packet, "--nonce", nonce) == 0
    assert operator.balance(workspace) == 2


@contextlib.contextmanager
def as_reader_of(home: Path) -> Iterator[None]:
    """The home read-only, for a user who is not root: root may write anywhere."""
    nobody = 65534
    for path in [home, *home.rglob("*")]:
        if os.geteuid() == 0:
            os.chown(path, nobody, nobody)
        path.chmod(stat.S_IMODE(path.stat().st_mode) & ~0o222)
    if os.geteuid() == 0:
        os.seteuid(nobody)
        try:
            yield
        finally:
            os.seteuid(0)
    else:
        yield
    for path in [home, *home.rglob("*")]:
        path.chmod(stat.S_IMODE(path.stat().st_mode) | 0o200)


@pytest.mark.parametrize("left", ["with its log", "without its log"])
def test_commands_that_read_work_on_a_read_only_home_and_change_nothing(
    operator: Operator, monkeypatch: pytest.MonkeyPatch, left: str
) -> None:
    packet = operator.open(operator.provision())
    for command in (("audit",), ("audit", "--json")):  # where it may write, it writes nothing either
        before = {path: path.stat().st_mtime_ns for path in operator.home.glob("[!l]*/**/*")}
        assert operator(*command) == 0
        assert {path: path.stat().st_mtime_ns for path in operator.home.glob("[!l]*/**/*")} == before
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)  # pytest's own folders are closed to other users
        home = Path(folder, "home")
        shutil.copytree(operator.home, home)
        for path in home.glob("ledger.sqlite-shm"):
            path.unlink()
        if left == "without its log":
            _settle(home)
        monkeypatch.setenv("TMPDIR", "/tmp")
        monkeypatch.setattr(tempfile, "tempdir", None)
        with as_reader_of(home):
            codes = [
                operator(*words, home=home)
                for words in (("audit",), ("reconcile",), ("packet", "list"), ("packet", "show", packet))
            ]
            listed = operator.out
        assert codes == [0, 0, 0, 0], operator.err
        assert packet in listed


def _settle(home: Path) -> None:
    """Write the ledger's log into its file, as SQLite does when the last user closes it."""
    import sqlite3

    with contextlib.closing(sqlite3.connect(home / "ledger.sqlite")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for path in home.glob("ledger.sqlite-*"):
        path.unlink()


def test_a_workspace_shows_all_of_its_lines(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    from issuer.ledger import whole

    monkeypatch.setattr(whole, "_PAGE", 2)
    workspace = operator.provision()
    for number in range(5):
        operator("workspace", "grant", workspace, "1", "--reference", f"invoice {number}")
    operator("workspace", "show", workspace)
    assert operator.out.count("credits    ") == 6
