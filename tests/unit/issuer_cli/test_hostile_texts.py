"""No byte of a stranger's reaches a terminal unseen: every command, hostile texts in every foreign field."""

import argparse
import io
import json
import logging
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from attestlayer.cli.command import build_parser
from attestlayer.cli.main import main as attestlayer
from attestlayer.encoding import format_base64url, sha256
from attestlayer.kit.receipt import Nonce
from attestlayer.visible import visible
from issuer.bootstrap.home import open_home
from issuer.bootstrap.service import Service
from issuer.bootstrap.telemetry import format_log_line
from issuer.cli.main import _parser, main
from issuer.cli.terminal import VisibleFormatter
from issuer.errors import ServiceError
from issuer.kits.names import record_object
from issuer.local.schedule import Ticker
from issuer.model import Answer, Claim, Contact
from issuer.settings import Settings, read_settings
from support import build
from support.thorough import sampled

HOSTILE = "x\x1b[2J\x1b]0;title\x07\x9b31m\u202egnp.\u2066\u2028\u0085\u200b\r\n\ufeffend"
NAME = "דנה क्\u200dष 山田\u3000太郎 " + HOSTILE
"""A name in people's scripts, with everything in it that no terminal may get."""
PRINTED = "דנה क्\u200dष 山田\u3000太郎 x"


def check(text: str) -> str:
    for line in text.split("\n"):
        assert line == visible(line), ascii(line)
    return text


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with hostile texts wherever a partner, a client or an operator can put one."""
    home = tmp_path_factory.mktemp("hostile") / "home"
    assert main(["init", "--home", str(home), "--origin", "registry.test"]) == 0
    _fill(open_home(Settings(home)))
    return home


def _fill(service: Service) -> None:
    contact = Contact(NAME, f"{HOSTILE}@{HOSTILE}", NAME)
    asked = service.qualifications.receive("starter", contact, NAME)
    service.qualifications.decide(
        asked.qualification_id, accepted=False, decided_by=NAME, scope=NAME, boundaries=NAME
    )
    workspace = service.workspaces.provision(NAME, "starter", [contact])
    service.workspaces.grant(workspace.workspace_id, 1, NAME)
    service.workspaces.make_key(workspace.workspace_id, NAME)
    packets = service.packets
    packet = packets.open(workspace.workspace_id, "PAY-01", "wire-transfer", NAME, cohort=NAME)
    claim = packets.claim(workspace.workspace_id, "open", b"open")
    assert isinstance(claim, Claim)
    packets.store(packet, claim, Answer(201, b"{}"))
    for number, data in enumerate((b"text", b"PK\x03\x04", b"%PDF-1.7", b"{}")):
        record = packets.add_record(
            packets.get(workspace.workspace_id, packet.packet_id),
            name=f"{number}{NAME}",
            record_type="approval",
            size=len(data),
            sha256=sha256(data),
            metadata={NAME: NAME, "approver": NAME, "amount": HOSTILE},
        )
        service.private.create(record_object(packet.packet_id, record), data)


def names(home: Path) -> dict[str, str]:
    """An id of each kind in the home."""
    ledger = open_home(Settings(home)).ledger
    workspace = ledger.workspaces()[0].workspace_id
    return {
        "workspace": workspace,
        "packet": ledger.packets(workspace, None, 1)[0].packet_id,
        "record": ledger.packets(workspace, None, 1)[0].records[0].record_id,
        "qualification": ledger.qualifications()[0].qualification_id,
    }


def leaves(
    parser: argparse.ArgumentParser, words: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], argparse.ArgumentParser]]:
    """Every command of a parser that has no subcommands itself."""
    groups = [each for each in parser._actions if isinstance(each, argparse._SubParsersAction)]
    if not groups:
        yield words, parser
    for group in groups:
        for name, sub in group.choices.items():
            yield from leaves(sub, (*words, name))


ISSUER = dict(leaves(_parser()))
COMMANDS = ("verify", "verify-receipt", "disclose", "inspect", "nonce", "trust", "trust update", "audit")
ATTESTLAYER = dict(leaves(build_parser(dict.fromkeys(COMMANDS))))


def line(parser: argparse.ArgumentParser, known: dict[str, str], *, left: str) -> list[str]:
    """A command line with `left` for whatever `known` has no value for."""
    words: list[str] = []
    for action in parser._actions:
        value = known.get(action.dest, str(next(iter(action.choices))) if action.choices else left)
        if action.dest in {"help", "home", "version"} or action.nargs == 0:
            continue
        words += [f"{action.option_strings[-1]}={value}"] if action.option_strings else [value]
    return words


@pytest.mark.parametrize("words", sampled(list(ISSUER), every=4), ids=" ".join)
def test_a_command_of_issuer_prints_no_hostile_byte(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    copy = tmp_path / HOSTILE.replace("\0", "")
    shutil.copytree(home, copy)
    (tmp_path / "nonce").write_bytes(Nonce(None, bytes(32)).format())
    (tmp_path / NAME.split("\r", maxsplit=1)[0]).write_text("record")
    by_word = {
        **names(home),
        "contact": f"{NAME},a@b,{NAME}",
        "credits": "1",
        "cadence": "1",
        "lane": "PAY-01",
        "profile": "wire-transfer",
        "meta": f"{HOSTILE}={HOSTILE}",
        "nonce": str(tmp_path / "nonce"),
        "path": str(tmp_path / NAME.split("\r", maxsplit=1)[0]),
        "output": str(tmp_path / "kit.zip"),
        "kit_id": HOSTILE,
        "trust": str(copy / "registry/v1/trust.json"),
        "origin": "registry.test",
    }
    lines = [[], line(ISSUER[words], {}, left=HOSTILE), line(ISSUER[words], by_word, left=NAME)]
    if words == ("serve",):
        lines = lines[1:2]  # the others would go on for ever
    for rest in lines:
        try:
            main([*words, "--home", str(copy), *rest])
        except SystemExit as stop:
            assert stop.code == 64
        out, err = capsys.readouterr()
        check(out)
        check(err)


@pytest.mark.parametrize(
    "words",
    [
        ("workspace", "list"),
        ("workspace", "show"),
        ("packet", "list"),
        ("packet", "show"),
        ("packet", "check"),
    ],
    ids=" ".join,
)
def test_names_in_peoples_scripts_are_printed_as_written(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    shutil.copytree(home, tmp_path / "home")
    ids = names(home)
    arguments = [ids[each.dest] for each in ISSUER[words]._actions if each.dest in ids and each.nargs is None]
    assert main([*words, "--home", str(tmp_path / "home"), *arguments]) in {0, 3}
    assert PRINTED in re.sub(r"\n +", " ", capsys.readouterr().out)  # long lines are wrapped


@pytest.mark.parametrize(
    "name", sampled(["v1/checkpoints/latest.json", "v1/trust.json", "checkpoint", "v1/stats"], every=2)
)
@pytest.mark.parametrize("command", ["audit", "reconcile", "sequence", "collect", "index"])
def test_a_damaged_registry_is_reported_without_a_hostile_byte(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, name: str
) -> None:
    shutil.copytree(home, tmp_path / "home")
    (tmp_path / "home/registry" / name).write_text(f'{{"schema": "{visible(HOSTILE)}"}}{HOSTILE}')
    (tmp_path / "home/private" / "x\x1b[2J\u202e").write_text(HOSTILE)
    options = ["--json"] if command in {"audit", "reconcile"} else []
    for more in ([], options):
        main([command, "--home", str(tmp_path / "home"), *more])
        out, err = capsys.readouterr()
        check(out)
        check(err)


@pytest.mark.parametrize(
    "name",
    [
        *("ATTESTLAYER_CADENCE_SECONDS", "ATTESTLAYER_VERIFY_PAGE", "ATTESTLAYER_ORIGIN"),
        *("ATTESTLAYER_REGISTRY_KEYS", "ATTESTLAYER_ISSUER_KEYS"),
    ],
)
def test_a_setting_is_reported_without_a_hostile_byte(name: str) -> None:
    cloud = {
        "ATTESTLAYER_ORIGIN": "registry.test",
        "ATTESTLAYER_BASE_URL": "https://program.test",
        "ATTESTLAYER_REGISTRY_BUCKET": "r",
        "ATTESTLAYER_PRIVATE_BUCKET": "p",
        "ATTESTLAYER_TABLE": "t",
        "ATTESTLAYER_REGISTRY_KEYS": "kms:a",
        "ATTESTLAYER_ISSUER_KEYS": "kms:b",
        "AWS_REGION": "eu-central-1",
    }
    with pytest.raises(ServiceError) as caught:
        read_settings({**cloud, name: HOSTILE})
    assert "x\\x1b" in check(caught.value.detail)


def test_log_lines_and_rounds_of_the_server_hold_no_hostile_byte(home: Path) -> None:
    def failing(event: object, context: object) -> dict[str, object]:
        raise ValueError(HOSTILE)

    out = io.StringIO()
    ticker = Ticker(60, open_home(Settings(home)).clock, out=out, handlers=(failing,))
    assert not ticker._round()
    check(out.getvalue())
    try:
        raise ValueError(HOSTILE)
    except ValueError as error:
        record = logging.makeLogRecord({"msg": HOSTILE, "exc_info": (ValueError, error, error.__traceback__)})
    assert "Traceback" in check(VisibleFormatter().format(record))
    logged = format_log_line({"message": NAME + "\x7f\ud800", "error": ValueError(HOSTILE)})
    assert json.loads(check(logged)) == {"message": NAME + "\x7f\ud800", "error": HOSTILE}  # noqa: TID251
    assert "山田\u3000太郎" in logged


HASH = format_base64url(bytes(32))


@pytest.fixture(scope="module")
def odd_files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Files and folders that a stranger could send, with hostile names and contents."""
    folder = tmp_path_factory.mktemp("odd") / HOSTILE
    folder.mkdir()
    delivered = build.make()
    documents = {
        "text": HOSTILE.encode(),
        "schema": f'{{"schema":"attestlayer/receipt/{HOSTILE}"}}'.encode(),
        "member": f'{{"{visible(HOSTILE)}\u202e":1}}'.encode(),
        "note": f"{HOSTILE}\n1\n{HASH}\n\n\u2014 {HOSTILE} AAAA\n".encode(),
        "kit": delivered.zip,
        "cut": delivered.zip[:-9],
        "trust.json": delivered.trust.format().replace(b"registry.example.org", HOSTILE.encode()),
    }
    for name, data in documents.items():
        (folder / name).write_bytes(data)
    kit = folder / "folder"
    for name, data in {**delivered.members, NAME: b"x", "records/002-\x1b[2J": b"y"}.items():
        (kit / name).parent.mkdir(parents=True, exist_ok=True)
        (kit / name).write_bytes(data)
    (folder / "good.json").write_bytes(delivered.trust.format())
    (folder / "link").mkdir()
    (folder / "link" / HOSTILE).symlink_to("nowhere")
    return sorted(folder.iterdir())


@pytest.mark.parametrize("words", ATTESTLAYER, ids=" ".join)
def test_a_command_of_attestlayer_prints_no_hostile_byte(
    odd_files: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    good = next(path for path in odd_files if path.name == "good.json")
    lines = [line(ATTESTLAYER[words], {}, left=HOSTILE)]
    for number, path in enumerate(odd_files):
        for trust in (good, path):
            known = {
                **dict.fromkeys(
                    ("kit", "receipt", "file", "checkpoint", "registry", "since", "source"), str(path)
                ),
                "trust": str(trust),
                "record": NAME,
                "output": str(tmp_path / f"{number}{trust.name}"),
                "state": str(tmp_path / "state"),
                "jobs": "1",
            }
            wanted = {"trust", "checkpoint", "source"}  # without a source, `trust update` asks a network
            required = [a for a in ATTESTLAYER[words]._actions if a.required or a.dest in wanted]
            each = argparse.ArgumentParser(add_help=False)
            each._actions = required
            lines.append(line(each, known, left=HOSTILE))
    printed = ""
    for rest in lines:
        for more in ([], ["--json"] if "json" in {a.dest for a in ATTESTLAYER[words]._actions} else []):
            assert attestlayer([*words, *rest, *more]) in {0, 2, 3, 64}
            out, err = capsys.readouterr()
            printed += check(out) + check(err)
            if more and out:
                assert out.isascii()
    assert "internal error" not in printed
