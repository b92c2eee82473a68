"""The operator's commands: what they do, and what they say to bad input, having changed nothing."""

import re
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from attestlayer.encoding import format_hash
from attestlayer.kit.receipt import Nonce
from issuer.cli.main import main
from support.home import SAMPLES

WIRE = SAMPLES / "PAY-01/wire-transfer"


@dataclass
class Operator:
    """Runs commands on one home and keeps what they said."""

    home: Path
    capture: pytest.CaptureFixture[str]
    out: str = ""
    err: str = ""

    def __call__(self, *words: str | Path, home: Path | None = None) -> int:
        group = 2 if words[0] in {"qualify", "workspace", "kit", "packet"} else 1
        command = [str(word) for word in words]
        code = main([*command[:group], "--home", str(home or self.home), *command[group:]])
        self.out, self.err = self.capture.readouterr()
        return code

    def found(self, pattern: str) -> str:
        match = re.search(pattern, self.out)
        assert match, self.out + self.err
        return match[0]

    def provision(self, granted: int = 3) -> str:
        assert self("workspace", "provision", "Example", "--tier", "starter", "--credits", str(granted)) == 0
        return self.found(r"ws_\w+")

    def open(self, workspace: str) -> str:
        assert self("packet", "open", workspace, "PAY-01", "wire-transfer") == 0
        return self.found(r"pkt_\w+")

    def balance(self, workspace: str) -> int:
        self("workspace", "show", workspace)
        return int(self.found(r"(?<=balance    )\d+"))

    def nonce(self, name: str, checkpoint: bytes | None = None) -> Path:
        path = self.home.parent / name
        path.write_bytes(
            Nonce(checkpoint, name.encode().ljust(32, b".")).format()  # type: ignore[arg-type]
        )
        return path


@pytest.fixture
def operator(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Operator:
    made = Operator(tmp_path / "home", capsys)
    assert made("init", "--origin", "registry.test") == 0
    return made


def test_from_provisioning_to_the_finished_kit(operator: Operator, tmp_path: Path) -> None:
    workspace = operator.provision()
    packet = operator.open(workspace)
    assert operator("packet", "add", packet, WIRE) == 0
    assert operator("packet", "check", packet) == 0
    assert operator("packet", "issue", packet, "--nonce", operator.nonce("one")) == 0
    assert operator.balance(workspace) == 2
    assert operator("packet", "kit", packet, "-o", tmp_path / "kit.zip") == 2
    assert "sealed" in operator.err
    while "delivered" not in operator.out:
        assert operator("sequence", "--cadence", "1") == 0
    assert operator("packet", "kit", packet, "-o", tmp_path / "kit.zip") == 0
    assert (tmp_path / "kit.zip").stat().st_size > 100_000


def test_an_incomplete_packet_fails_for_free_and_can_be_completed(operator: Operator, tmp_path: Path) -> None:
    workspace = operator.provision()
    packet = operator.open(workspace)
    shutil.copytree(WIRE, tmp_path / "some")
    (tmp_path / "some/second-approval-reyes.pdf").unlink()
    assert operator("packet", "add", packet, tmp_path / "some") == 2
    assert "second-approval-reyes.pdf" in operator.err
    operator("packet", "show", packet)
    assert "record " not in operator.out


def test_a_folder_of_sub_folders_named_for_record_types_is_taken(operator: Operator, tmp_path: Path) -> None:
    packet = operator.open(operator.provision())
    (tmp_path / "mine/approval").mkdir(parents=True)
    (tmp_path / "mine/approval/first.txt").write_text("Approved by the treasurer.")
    assert operator("packet", "add", packet, tmp_path / "mine") == 0
    (tmp_path / "mine/stray.txt").write_text("Where does this belong?")
    assert operator("packet", "add", packet, tmp_path / "mine/stray.txt") == 2
    assert "--type" in operator.err
    assert operator("packet", "check", packet) == 3
    assert "To do" in operator.out
    assert operator("packet", "issue", packet, "--nonce", operator.nonce("n")) == 3
    assert operator.out.startswith("FAIL: no credit was taken")


def test_init_again_goes_on_and_never_starts_anew(operator: Operator) -> None:
    operator("init", "--origin", "registry.test")
    first = operator.out
    assert operator("init", "--origin", "registry.test") == 0
    assert operator.out == first
    assert operator("init", "--origin", "other.test") == 2
    assert "registry.test" in operator.err
    assert "other.test" in operator.err


def test_init_refuses_an_origin_that_is_none(operator: Operator, tmp_path: Path) -> None:
    assert operator("init", "--origin", "https://x", home=tmp_path / "new") == 2
    assert "https://x" in operator.err
    assert not (tmp_path / "new").exists()


def test_a_home_that_is_no_home_is_left_alone(operator: Operator, tmp_path: Path) -> None:
    folder = tmp_path / "letters"
    folder.mkdir()
    (folder / "letter.txt").write_text("Dear")
    for words in (("init",), ("sequence",), ("workspace", "list")):
        assert operator(*words, home=folder) == 2
        assert "attestlayer.json" in operator.err
    assert [path.name for path in folder.iterdir()] == ["letter.txt"]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda key: key.write_bytes(key.read_bytes()[:-9]), "damaged|wanted"),
        (lambda key: key.chmod(0o644), "0644|others|mode"),
        (lambda key: key.unlink(), "missing|No such file|not there"),
        (lambda key: shutil.copy(key.with_name("issuer.key"), key), "issuer"),
    ],
    ids=["cut short", "readable by others", "missing", "of another role"],
)
def test_a_key_file_that_can_not_be_trusted_is_refused(operator: Operator, damage, said: str) -> None:  # type: ignore[no-untyped-def]
    key = operator.home / "keys/registry.key"
    damage(key)
    assert operator("sequence") == 2
    assert re.search(said, operator.err), operator.err


def test_a_port_in_use_is_named(operator: Operator) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert operator("serve", "--port", str(port)) == 2
    assert str(port) in operator.err


@pytest.mark.parametrize(
    "words",
    [
        ("serve", "--port", "70000"),
        ("serve", "--port", "80 "),
        ("workspace", "provision", "x", "--tier", "platinum"),
        ("workspace", "provision", "x", "--tier", "starter", "--contact", "nobody"),
        ("kit", "withdraw", "w", "k", "--reason", "regret"),
        ("kit", "supersede", "w", "k"),
    ],
)
def test_usage_errors_exit_64(operator: Operator, words: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as ended:
        operator(*words)
    assert ended.value.code == 64


@pytest.mark.parametrize(
    "words", [("withdraw", "--reason", "issued-in-error"), ("supersede", "--by", "kit_1")], ids=["w", "s"]
)
def test_a_notice_about_a_kit_that_nobody_issued_is_refused(
    operator: Operator, words: tuple[str, ...]
) -> None:
    workspace = operator.provision()
    assert operator("kit", words[0], workspace, "kit_0", *words[1:]) == 2
    assert "issued no kit 'kit_0'" in operator.err


@pytest.mark.parametrize("cadence", ["0", "241", "1.5", "-1", "a minute"])
def test_a_cadence_that_is_none_is_refused(operator: Operator, cadence: str) -> None:
    assert operator("sequence", f"--cadence={cadence}") == 2
    assert "1 to 240" in operator.err


def test_unknown_lanes_profiles_workspaces_and_packets_are_named(operator: Operator) -> None:
    workspace = operator.provision()
    assert operator("packet", "open", workspace, "PAY-99", "wire-transfer") == 2
    assert "PAY-99" in operator.err
    assert "PAY-01" in operator.err
    assert operator("packet", "open", workspace, "PAY-01", "cheque") == 2
    assert "cheque" in operator.err
    assert "wire-transfer" in operator.err
    assert operator("packet", "open", "ws_nobody", "PAY-01", "wire-transfer") == 2
    assert "ws_nobody" in operator.err
    assert operator("packet", "show", "pkt_nothing") == 2
    assert "pkt_nothing" in operator.err


def test_nonces_are_used_once_well_formed_and_name_known_checkpoints(
    operator: Operator, tmp_path: Path
) -> None:
    workspace = operator.provision()
    first, second = operator.open(workspace), operator.open(workspace)
    for packet in (first, second):
        operator("packet", "add", packet, WIRE)
    (tmp_path / "bad").write_text("attestlayer-nonce/1\n-\n")
    assert operator("packet", "issue", first, "--nonce", tmp_path / "bad") == 2
    assert "three lines" in operator.err
    assert operator("packet", "issue", first, "--nonce", tmp_path / "none") == 2
    unknown = operator.nonce("unknown", bytes(32))
    assert operator("packet", "issue", first, "--nonce", unknown) == 2
    assert format_hash(bytes(32)) in operator.err
    used = operator.nonce("used")
    assert operator("packet", "issue", first, "--nonce", used) == 0
    assert operator("packet", "issue", second, "--nonce", used) == 2
    assert "used" in operator.err
    assert operator.balance(workspace) == 2


def test_without_a_credit_nothing_is_issued_or_changed(operator: Operator) -> None:
    workspace = operator.provision(granted=0)
    packet = operator.open(workspace)
    operator("packet", "add", packet, WIRE)
    operator("packet", "show", packet)
    before = operator.out
    assert operator("packet", "issue", packet, "--nonce", operator.nonce("n")) == 2
    assert "0 credits" in operator.err
    operator("packet", "show", packet)
    assert operator.out == before
    assert operator("workspace", "grant", workspace, "1", "--reference", "invoice 7") == 0
    assert operator("packet", "issue", packet, "--nonce", operator.nonce("n")) == 0


def test_a_sealed_packet_takes_nothing_more(operator: Operator) -> None:
    packet = operator.open(operator.provision())
    operator("packet", "add", packet, WIRE)
    operator("packet", "issue", packet, "--nonce", operator.nonce("n"))
    for words in (
        ("packet", "add", packet, WIRE / "call-back-note.txt", "--type", "payee-check"),
        ("packet", "check", packet),
        ("packet", "withdraw", packet),
        ("packet", "issue", packet, "--nonce", operator.nonce("other")),
    ):
        assert operator(*words) == 2
        assert "sealed" in operator.err


def test_records_that_can_not_be_taken_are_refused_or_block(operator: Operator, tmp_path: Path) -> None:
    packet = operator.open(operator.provision())
    (tmp_path / "empty.txt").touch()
    assert operator("packet", "add", packet, tmp_path / "empty.txt", "--type", "approval") == 2
    assert "empty" in operator.err
    assert operator("packet", "add", packet, WIRE / "call-back-note.txt", "--type", "sonnet") == 2
    assert "sonnet" in operator.err
    assert operator("packet", "add", packet, WIRE / "call-back-note.txt", "--type", "payee-check") == 0
    assert operator("packet", "add", packet, WIRE / "call-back-note.txt", "--type", "approval") == 2
    assert "same bytes" in operator.err
    (tmp_path / "fake.pdf").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64))
    assert operator("packet", "add", packet, tmp_path / "fake.pdf", "--type", "approval") == 0
    assert operator("packet", "check", packet) == 3
    assert "fake.pdf" in operator.out


def test_a_partner_is_qualified_once(operator: Operator) -> None:
    contact = "Dana Okafor,dana@advisory.example,owner"
    assert operator("qualify", "receive", "--tier", "growth", "--contact", contact, "--workflow", "KYC") == 0
    name = operator.found(r"qual_\w+")
    decide = ("--scope", "payments", "--boundaries", "no advice", "--by", "operator")
    assert operator("qualify", "accept", name, *decide) == 0
    assert operator("qualify", "decline", name, *decide) == 2
    assert "accepted" in operator.err
    assert operator("qualify", "list") == 0
    assert "accepted" in operator.out


@pytest.mark.parametrize("call", range(1, 4))
def test_an_init_that_died_while_it_gave_a_file_its_name_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], call: int
) -> None:
    """The process ends, without any clean-up, instead of its n-th key or settings file getting its name."""
    code = (
        "import os; from issuer.adapters import system; from issuer.adapters.local import directory, keys\n"
        "from issuer.cli.main import main\n"
        f"left = [{call}]\n"
        "def name_new(temporary, target):\n"
        "    left[0] -= 1\n"
        "    left[0] or os._exit(9)\n"
        "    return system.name_new(temporary, target)\n"
        "directory.name_new = keys.name_new = name_new\n"
        f"main(['init', '--home', {str(tmp_path / 'home')!r}, '--origin', 'registry.test'])\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 9
    operator = Operator(tmp_path / "home", capsys)
    assert operator("init", "--origin", "registry.test") == 0
    assert operator("sequence", "--cadence", "1") == 0


@pytest.mark.parametrize("emptied", [False, True])
def test_a_lost_ledger_stops_everything_and_is_not_made_anew(operator: Operator, emptied: bool) -> None:
    operator("sequence", "--cadence", "1")
    for path in operator.home.glob("ledger.sqlite*"):
        path.unlink()
    if emptied:
        (operator.home / "ledger.sqlite").touch()
    for words in (("sequence",), ("workspace", "list"), ("init", "--origin", "registry.test")):
        assert operator(*words) == 2
        assert "ledger" in operator.err


def test_a_ledger_from_a_backup_stops_the_log_and_issuing(operator: Operator, tmp_path: Path) -> None:
    workspace = operator.provision()
    packet = operator.open(workspace)
    operator("packet", "add", packet, WIRE)
    shutil.copytree(operator.home, tmp_path / "backup")
    assert operator("packet", "issue", packet, "--nonce", operator.nonce("n")) == 0
    while "delivered" not in operator.out:
        assert operator("sequence", "--cadence", "1") == 0
    for path in operator.home.glob("ledger.sqlite*"):
        path.unlink()
    for path in (tmp_path / "backup").glob("ledger.sqlite*"):
        shutil.copy(path, operator.home)
    assert operator("packet", "issue", packet, "--nonce", operator.nonce("n")) == 2
    assert "backup" in operator.err
    assert operator("sequence", "--cadence", "1") == 2
    assert "backup" in operator.err
