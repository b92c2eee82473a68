"""`verify --registry URL` refuses a kit out of a private tree, and decides nothing without an answer."""

import json
from pathlib import Path

import pytest

from attestlayer.kit.manifest import REGISTRY_RECEIPT
from attestlayer.log import layout
from attestlayer.log.notices import IncidentReason, NoticeType, Role, key_added, late_merge
from support import build
from support.build import ISSUED_AT, ORIGIN, START, Delivered, Log, Plan, Round, Scenario
from support.disclosures import made as disclosed
from support.public_log import publish
from unit.online.conftest import Place, Result, Run

SECOND = build.private_key("second registry key")
SECOND_ISSUER = build.private_key("second issuer key")


LATER = Scenario(plan=Plan(issued_at=START + 590), merge=Round(after=540))
"""A kit issued just before the checkpoint of START + 600 that holds its leaf."""


def world(scenario: Scenario | None = None) -> Delivered:
    """A kit, and a log that went on for two rounds after it."""
    made = build.make(scenario)
    made.log.publish(Round(leaves=(build.other_leaf(7),)))
    made.log.publish(Round())
    return made


def forged(real: Delivered) -> Delivered:
    """By the log's two keys: the kit's id, other bytes, 500 s earlier, in a private tree of one leaf."""
    log = Log()
    seen = log.publish(Round()).checkpoint
    assert seen == real.log.rounds[1].checkpoint
    plan = Plan(
        issued_at=real.sealed.receipt.issued_at - 500,
        records=(("records/001-a.txt", b"two\n"),),
        nonce_checkpoint=seen,
    )
    sealed = build.seal(plan)
    log.publish(Round(leaves=(sealed.record,)))
    return Delivered(build.deliver(sealed, log.receipt(sealed.record)), log.trust(), log, sealed)


def now_of(made: Delivered) -> int:
    return made.log.last.checkpoint.timestamp + 30


def verify(run: Run, kit: bytes, place: Path, *options: str | Path, now: int) -> Result:
    (place / "kit.zip").write_bytes(kit)
    return run(now, "verify", place / "kit.zip", *options)


def online(registry: Place, *more: str) -> tuple[str, ...]:
    return ("--registry", registry.url, "--origin-mirrored", *more)


def test_a_kit_of_the_public_log_is_verified_and_says_what_was_asked(
    run: Run, installed: Path, registry: Place, tmp_path: Path
) -> None:
    made = world()
    installed.write_bytes(made.log.trust(1).format())
    publish(made.log, registry.folder)
    result = verify(run, made.zip, tmp_path, *online(registry), now=now_of(made))
    assert result.code == 0, result.out
    assert f"asked {registry.url} newest checkpoint 4 of 31 January 2026, 12:04:00 UTC" in result.words
    assert f"{installed}, updated in memory from {registry.url}" in result.words
    # With the newest notices, what the installed root could not know is known. It stays what it was.
    assert "✓ notices passed" in result.words
    assert "withdrawal-unknown" not in result.words
    assert installed.read_bytes() == made.log.trust(1).format()


def test_the_json_report_names_the_newest_checkpoint(
    run: Run, installed: Path, registry: Place, tmp_path: Path
) -> None:
    made = world()
    installed.write_bytes(made.log.trust(1).format())
    publish(made.log, registry.folder)
    result = verify(run, made.zip, tmp_path, *online(registry, "--json"), now=now_of(made))
    report = json.loads(result.out)  # noqa: TID251
    assert report["registry"] == {
        "url": registry.url,
        "sequence": 4,
        "tree_size": 4,
        "checkpoint_hash": layout.checkpoint_path(made.log.last.checkpoint.hash())[15:-5],
        "checkpoint_time": "2026-01-31T12:04:00Z",
    }
    assert report["trust"]["checkpoint_time"] == "2026-01-31T12:04:00Z"
    offline = verify(run, made.zip, tmp_path, "--json", now=now_of(made))
    assert json.loads(offline.out)["registry"] is None  # noqa: TID251


def test_a_forged_kit_out_of_a_private_tree_is_verified_offline_and_refused_online(
    run: Run, installed: Path, registry: Place, tmp_path: Path
) -> None:
    real = world(LATER)
    second = forged(real)
    assert second.sealed.receipt.kit_id == real.sealed.receipt.kit_id
    assert second.log.last.checkpoint.head.size == 1
    publish(real.log, registry.folder)
    for sequence in (0, -1):  # with an old trust root and a new one
        installed.write_bytes(real.log.trust(sequence).format())
        assert verify(run, second.zip, tmp_path, now=now_of(real)).code == 0
        result = verify(run, second.zip, tmp_path, *online(registry), now=now_of(real))
        assert result.code == 3
        assert "checkpoint-conflict" in result.words
        assert "✗ checkpoint failed" in result.words
        assert "Public log" not in result.words
    assert verify(run, real.zip, tmp_path, *online(registry), now=now_of(real)).code == 0


def test_a_disclosed_record_of_a_private_tree_is_refused_too(
    run: Run, installed: Path, registry: Place, tmp_path: Path
) -> None:
    parts, kit = disclosed()
    kit.log.publish(Round())
    installed.write_bytes(kit.log.trust(0).format())
    publish(kit.log, registry.folder)
    part = build.make_zip(parts)
    assert verify(run, part, tmp_path, *online(registry), now=now_of(kit)).code == 0
    other = Log()
    for number in range(6):
        other.publish(Round(leaves=(build.other_leaf(20 + number),)))
    publish(other, registry.folder)
    result = verify(run, part, tmp_path, *online(registry), now=other.last.checkpoint.timestamp)
    assert (result.code, "checkpoint-conflict" in result.words) == (3, True)


def test_a_kit_newer_than_what_the_registry_shows_is_not_decided(
    run: Run, installed: Path, registry: Place, tmp_path: Path
) -> None:
    """A larger private tree extends the public one: that alone shows nothing of its entries."""
    made = world()
    installed.write_bytes(made.log.trust(0).format())
    publish(made.log, registry.folder, newest=1)
    result = verify(run, made.zip, tmp_path, *online(registry), now=START + 120)
    assert result.code == 2
    assert "registry-stale" in result.words
    assert "has 0 entries, and does not hold entry 2 yet" in result.words


@pytest.mark.parametrize(
    ("after", "code"), [(600, 0), (601, 2), (-600, 0), (-601, 2)], ids=["10 min", "older", "ahead", "future"]
)
def test_a_newest_checkpoint_of_over_ten_minutes_is_stale(
    run: Run, installed: Path, registry: Place, tmp_path: Path, after: int, code: int
) -> None:
    made = world()
    installed.write_bytes(made.log.trust(1).format())
    publish(made.log, registry.folder)
    now = made.log.last.checkpoint.timestamp + after
    result = verify(run, made.zip, tmp_path, *online(registry), now=now)
    assert result.code == code
    assert ("registry-stale" in result.words) == bool(code)


@pytest.mark.parametrize("fault", ["no registry", "a sign-in page", "another key", "no tiles", "wrong tiles"])
def test_without_a_usable_answer_nothing_is_decided(
    run: Run, installed: Path, registry: Place, tmp_path: Path, fault: str
) -> None:
    made = world()
    installed.write_bytes(made.log.trust(1).format())
    latest, tile = registry.folder / layout.LATEST, registry.folder / "tile/0/000.p/4"
    if fault != "no registry":
        publish(made.log, registry.folder)
    if fault == "a sign-in page":
        latest.write_bytes(b"<html>Sign in</html>")
    if fault == "another key":
        forged_by = build.sign_checkpoint(made.log.last.checkpoint, build.STRANGER)
        latest.write_bytes(forged_by.format())
    if fault == "no tiles":
        tile.unlink()
    if fault == "wrong tiles":
        tile.write_bytes(bytes(128))
    result = verify(run, made.zip, tmp_path, *online(registry), now=now_of(made))
    assert result.code == 2
    assert "registry-unreachable" in result.words
    assert "✓ VERIFIED" not in result.words


def test_a_kit_that_fails_by_itself_says_why_whatever_the_log_holds(
    run: Run, installed: Path, registry: Place, tmp_path: Path
) -> None:
    made = world()
    installed.write_bytes(made.log.trust(1).format())
    publish(made.log, registry.folder)
    kit = build.make_zip({**made.members, "records/001-a.txt": b"two\n"})
    result = verify(run, kit, tmp_path, *online(registry), now=now_of(made))
    assert (result.code, "file-hash-mismatch" in result.words) == (3, True)


def test_notices_that_the_installed_root_lacks_are_read(
    run: Run, installed: Path, registry: Place, tmp_path: Path
) -> None:
    """Offline the kit could not be checked: issuer key and incident are newer than the trust root."""
    key = Round(notices=(key_added(Role.ISSUER, SECOND_ISSUER.public, START + 60),))
    late = Round(after=ISSUED_AT + 601 - START - 60, notices=(late_merge(2, 2, IncidentReason.OUTAGE),))
    made = world(Scenario(nonce_round=key, merge=late, plan=Plan(issuer=SECOND_ISSUER)))
    installed.write_bytes(made.log.trust(0).format())
    publish(made.log, registry.folder)
    offline = verify(run, made.zip, tmp_path, now=now_of(made))
    assert (offline.code, "trust-root-outdated" in offline.words) == (2, True)
    assert "attestlayer trust update" in offline.words
    assert verify(run, made.zip, tmp_path, *online(registry), now=now_of(made)).code == 0


def test_a_withdrawal_after_the_daily_trust_root_is_known_online(
    run: Run, installed: Path, registry: Place, tmp_path: Path
) -> None:
    made = world()
    leaf = layout.entry_path(made.sealed.record.leaf_hash)[11:-5]
    withdrawn = (NoticeType.KIT_WITHDRAWN, {"leaf_hash": leaf, "reason": "issued-in-error"})
    made.log.publish(Round(notices=(withdrawn,)))
    installed.write_bytes(made.log.trust(3).format())
    publish(made.log, registry.folder, trust=3)
    assert verify(run, made.zip, tmp_path, now=now_of(made)).code == 0
    result = verify(run, made.zip, tmp_path, *online(registry), now=now_of(made))
    assert (result.code, "kit-withdrawn" in result.words) == (3, True)


def test_a_changed_identity_is_not_accepted_in_memory(
    run: Run, installed: Path, registry: Place, tmp_path: Path
) -> None:
    made = world()
    made.log.publish(Round(notices=(key_added(Role.REGISTRY, SECOND.public, START + 240),)))
    installed.write_bytes(made.log.trust().format())
    made.log.publish(Round(signers=(SECOND,)))
    publish(made.log, registry.folder)
    result = verify(run, made.zip, tmp_path, *online(registry), now=now_of(made))
    assert result.code == 2
    assert (
        "the registry key changed since your trust root: `attestlayer trust update` shows it" in result.words
    )


def test_the_url_is_the_origins_unless_it_is_said_to_mirror_it(
    run: Run, installed: Path, registry: Place, tmp_path: Path
) -> None:
    made = world()
    installed.write_bytes(made.trust.format())
    publish(made.log, registry.folder)
    result = verify(run, made.zip, tmp_path, "--registry", registry.url, now=now_of(made))
    assert result.code == 64
    assert f"the trust root is of {ORIGIN}: add --origin-mirrored" in " ".join(result.err.split())


@pytest.mark.parametrize(
    "options", [("--registry", "somewhere"), ("--registry", "file:///tmp"), ("--origin-mirrored",)]
)
def test_other_command_lines_are_usage_errors(
    run: Run, installed: Path, tmp_path: Path, options: tuple[str, ...]
) -> None:
    made = world()
    installed.write_bytes(made.trust.format())
    assert verify(run, made.zip, tmp_path, *options, now=now_of(made)).code == 64


def test_a_receipt_in_place_of_a_kit_is_named_online_too(
    run: Run, installed: Path, registry: Place, tmp_path: Path
) -> None:
    made = world()
    installed.write_bytes(made.trust.format())
    publish(made.log, registry.folder)
    result = verify(run, made.members[REGISTRY_RECEIPT], tmp_path, *online(registry), now=now_of(made))
    assert result.code == 2
    assert "is the document registry-receipt, which is checked with `verify-receipt`" in result.words


def test_a_url_with_a_name_in_it_is_no_registrys(run: Run, installed: Path, tmp_path: Path) -> None:
    made = world()
    installed.write_bytes(made.trust.format())
    options = ("--registry", f"https://me@{ORIGIN}", "--origin-mirrored")
    result = verify(run, made.zip, tmp_path, *options, now=now_of(made))
    assert (result.code, "registry-unreachable" in result.words) == (2, True)


def test_the_origins_own_url_needs_no_word_more(
    run: Run, installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = world()
    installed.write_bytes(made.trust.format())
    asked: list[str] = []

    def refuse(url: str) -> None:
        asked.append(url)
        raise AssertionError

    monkeypatch.setattr("attestlayer.cli.online.open_public_log", refuse)
    for url in (f"https://{ORIGIN}", f"https://{ORIGIN}/"):
        verify(run, made.zip, tmp_path, "--registry", url, now=now_of(made))
    assert len(asked) == 2


def test_a_private_tree_that_forks_off_the_public_log_is_a_conflict(
    run: Run, installed: Path, registry: Place, tmp_path: Path
) -> None:
    """The forger's tree begins with the public entries: only its last one is another."""
    real = world()
    second = build.make(Scenario(plan=Plan(records=(("records/001-a.txt", b"two\n"),))))
    installed.write_bytes(real.log.trust(0).format())
    publish(real.log, registry.folder)
    result = verify(run, second.zip, tmp_path, *online(registry), now=now_of(real))
    assert (result.code, "checkpoint-conflict" in result.words) == (3, True)
