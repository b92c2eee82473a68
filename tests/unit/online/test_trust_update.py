"""`attestlayer trust update`: what may take the place of a trust root, and what a person is asked."""

import io
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from attestlayer.encoding import format_hash
from attestlayer.log import layout
from attestlayer.log.notices import Role, key_added
from attestlayer.log.trust import TrustRoot
from support import build
from support.build import ORIGIN, REGISTRY, START, Log, Round
from support.public_log import publish
from unit.online.conftest import Place, Run

SECOND = build.private_key("second registry key")
DAY = 86400


def grown() -> Log:
    """Four rounds: the second has two entries, the third a third one."""
    log = Log()
    log.publish(Round())
    log.publish(Round(leaves=build.OTHER_LEAVES))
    log.publish(Round(leaves=(build.other_leaf(3),)))
    return log


def quorum(threshold: str) -> build.NoticeContent:
    policy = build.quorum_policy([build.witness(1), build.witness(2)], threshold)
    return build.witness_policy("2026-01-31T12:01:00Z", policy)


@pytest.mark.parametrize("path", ["", "/", "/v1/trust.json"])
def test_an_installed_trust_root_is_renewed_from_its_registry(
    run: Run, installed: Path, registry: Place, path: str
) -> None:
    log = grown()
    installed.write_bytes(log.trust(2).format())
    publish(log, registry.folder)
    result = run(START + 300, "trust", "update", registry.url + path)
    assert result.code == 0, result.err
    assert installed.read_bytes() == log.trust().format()
    assert [each.name for each in installed.parent.iterdir()] == ["trust.json"]
    assert f"Updated: {installed}." in result.words
    assert "was not shown" not in result.words
    assert log.trust().identity().format() in result.words


def test_without_a_url_the_origins_own_trust_root_is_asked(
    run: Run, installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr("attestlayer.cli.trust_update.open_public_log", asked.append)
    installed.write_bytes(grown().trust().format())
    run(START, "trust", "update")
    assert asked == [f"https://{ORIGIN}/v1/trust.json"]


def test_a_named_trust_root_is_renewed_in_its_place(run: Run, tmp_path: Path, registry: Place) -> None:
    log = grown()
    (tmp_path / "mine.json").write_bytes(log.trust(0).format())
    publish(log, registry.folder)
    assert run(START, "trust", "update", registry.url, "--trust", tmp_path / "mine.json").code == 0
    assert (tmp_path / "mine.json").read_bytes() == log.trust().format()


def test_the_same_trust_root_again_changes_nothing(run: Run, installed: Path, registry: Place) -> None:
    log = grown()
    installed.write_bytes(log.trust().format())
    before = installed.stat().st_mtime_ns
    publish(log, registry.folder)
    result = run(START, "trust", "update", registry.url)
    assert (result.code, installed.stat().st_mtime_ns) == (0, before)
    assert f"{installed} holds this trust root already." in result.words


@pytest.mark.parametrize(("days", "frozen"), [(2, False), (3, True)])
def test_a_served_trust_root_of_over_two_days_is_called_frozen(
    run: Run, installed: Path, registry: Place, days: int, frozen: bool
) -> None:
    log = grown()
    installed.write_bytes(log.trust(0).format())
    publish(log, registry.folder)
    result = run(log.last.checkpoint.timestamp + days * DAY, "trust", "update", registry.url)
    assert result.code == 0
    assert ("frozen copy, or the log stands still" in result.words) == frozen


def test_a_file_is_taken_too_and_says_what_it_can_not_show(run: Run, installed: Path, tmp_path: Path) -> None:
    log = grown()
    installed.write_bytes(log.trust(1).format())
    (tmp_path / "new.json").write_bytes(log.trust().format())
    result = run(START, "trust", "update", tmp_path / "new.json")
    assert result.code == 0
    assert "That its tree extends the old one was not shown" in result.words
    assert installed.read_bytes() == log.trust().format()


def test_without_a_trust_root_there_is_nothing_to_update(run: Run) -> None:
    result = run(START, "trust", "update", "http://127.0.0.1:9")
    assert result.code == 2
    assert (
        "there is no trust root to update: install one with `attestlayer trust --install FILE`" in result.err
    )


def other_registry() -> TrustRoot:
    log = Log(origin="other.example.org")
    log.publish(Round())
    return log.trust()


def other_notices() -> TrustRoot:
    log = Log(issuer=build.STRANGER)
    for _ in range(3):
        log.publish(Round(leaves=()))
    return log.trust()


def several_changes() -> TrustRoot:
    log = grown()
    log.publish(Round(notices=(key_added(Role.REGISTRY, SECOND.public, START + 240),)))
    log.publish(Round(signers=(SECOND,)))
    return log.trust()


def another_face() -> TrustRoot:
    log = Log()
    log.publish(Round())
    log.publish(Round(leaves=(build.other_leaf(8), build.other_leaf(9))))
    log.publish(Round())
    return log.trust()


REFUSED: dict[str, tuple[Callable[[], TrustRoot], str]] = {
    "another registry's": (
        other_registry,
        f"it is the trust root of another registry, other.example.org; the one in use is of {ORIGIN}.",
    ),
    "older": (lambda: grown().trust(1), "it is older: checkpoint 1, the one in use has 2"),
    "signed by a key that the old one lacks": (
        several_changes,
        f"signed by key {SECOND.public.kid}, which the one in use does not have",
    ),
    "another face of the log": (another_face, "checkpoint-conflict: "),
}


@pytest.mark.parametrize("by_url", [True, False])
@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_update_is_refused_and_the_old_one_stays(
    run: Run, installed: Path, registry: Place, tmp_path: Path, case: str, by_url: bool
) -> None:
    make, wanted = REFUSED[case]
    installed.write_bytes(grown().trust(2).format())
    publish(grown(), registry.folder)
    (registry.folder / layout.TRUST).write_bytes(make().format())
    (tmp_path / "new.json").write_bytes(make().format())
    result = run(START, "trust", "update", registry.url if by_url else tmp_path / "new.json")
    assert result.code == 2
    assert wanted in result.err
    assert "not updated: " in result.err
    assert installed.read_bytes() == grown().trust(2).format()


def test_other_notices_are_refused(run: Run, installed: Path, tmp_path: Path) -> None:
    old = Log()
    old.publish(Round(notices=(quorum("any"),)))
    installed.write_bytes(old.trust().format())
    other = Log()
    for _ in range(3):
        other.publish(Round())
    (tmp_path / "new.json").write_bytes(other.trust().format())
    result = run(START, "trust", "update", tmp_path / "new.json")
    assert result.code == 2
    assert "its notices are not those of the one in use and more" in result.err


def test_a_larger_tree_that_does_not_extend_the_old_one_is_a_conflict(
    run: Run, installed: Path, registry: Place
) -> None:
    """Without the tiles nobody would see it: no size and no sequence are the same."""
    old, other = grown(), Log()
    other.publish(Round())
    other.publish(Round(leaves=()))
    other.publish(Round(leaves=tuple(build.other_leaf(n) for n in range(10, 15))))
    installed.write_bytes(old.trust(2).format())
    publish(other, registry.folder)
    result = run(START, "trust", "update", registry.url)
    assert result.code == 2
    assert "checkpoint-conflict: " in result.err
    assert "the tree of size 5 is not shown to extend the tree of size 2" in result.err
    assert installed.read_bytes() == old.trust(2).format()


@pytest.mark.parametrize("damage", ["missing", "damaged"])
def test_tiles_that_are_not_the_trees_show_nothing(
    run: Run, installed: Path, registry: Place, damage: str
) -> None:
    log = grown()
    installed.write_bytes(log.trust(2).format())
    publish(log, registry.folder)
    tile = registry.folder / "tile/0/000.p/3"
    if damage == "missing":
        tile.unlink()
    else:
        tile.write_bytes(bytes(96))
    result = run(START, "trust", "update", registry.url)
    assert result.code == 2
    assert "registry-unreachable: " in result.err
    assert installed.read_bytes() == log.trust(2).format()


@pytest.mark.parametrize("answer", [None, b"<html>Sign in to the network</html>", b"{}"])
def test_a_registry_without_a_usable_answer_is_unreachable(
    run: Run, installed: Path, registry: Place, answer: bytes | None
) -> None:
    installed.write_bytes(grown().trust().format())
    if answer is not None:
        (registry.folder / layout.TRUST).parent.mkdir()
        (registry.folder / layout.TRUST).write_bytes(answer)
    result = run(START, "trust", "update", registry.url)
    assert result.code == 2
    assert f"registry-unreachable: not updated: {registry.url}: v1/trust.json: " in result.err


def rotated() -> Log:
    """The second registry key is known first, and signs after the first is retired."""
    log = grown()
    log.publish(Round(notices=(key_added(Role.REGISTRY, SECOND.public, START + 240),)))
    log.publish(
        Round(
            notices=(build.key_retired(REGISTRY, "2026-01-31T12:05:00Z"),),
            signers=(SECOND,),
        )
    )
    return log


def test_a_changed_identity_shows_both_and_asks_for_confirmation(
    run: Run, installed: Path, registry: Place
) -> None:
    log = rotated()
    installed.write_bytes(log.trust(4).format())
    publish(log, registry.folder)
    refused = run(START, "trust", "update", registry.url)
    before, after = log.trust(4).identity().format(), log.trust().identity().format()
    assert refused.code == 2
    assert f"not updated: the registry key changed from {before} to {after}: compare it" in refused.err
    assert f"--accept {SECOND.public.kid}" in refused.err
    assert installed.read_bytes() == log.trust(4).format()
    # Only the name of just this change confirms it.
    assert run(START, "trust", "update", registry.url, "--accept", REGISTRY.public.kid).code == 2
    assert run(START, "trust", "update", registry.url, "--accept", SECOND.public.kid).code == 0
    assert installed.read_bytes() == log.trust().format()


def test_a_key_that_is_merely_listed_changes_no_identity(run: Run, installed: Path, registry: Place) -> None:
    log = grown()
    log.publish(Round(notices=(key_added(Role.REGISTRY, SECOND.public, START + 240),)))
    installed.write_bytes(log.trust(3).format())
    publish(log, registry.folder)
    assert run(START, "trust", "update", registry.url).code == 0


def test_a_changed_witness_policy_shows_both_and_asks_for_confirmation(
    run: Run, installed: Path, registry: Place
) -> None:
    log = grown()
    log.publish(Round(notices=(quorum("any"),)))
    installed.write_bytes(log.trust(3).format())
    publish(log, registry.folder)
    refused = run(START, "trust", "update", registry.url)
    assert refused.code == 2
    assert "the witness policy changed from none to from 2026-01-31T12:01:00Z 'witness " in refused.err
    name = refused.err.rpartition("--accept ")[2].strip()
    assert run(START, "trust", "update", registry.url, "--accept", name).code == 0
    assert installed.read_bytes() == log.trust().format()


class Terminal(io.StringIO):
    """A terminal with these lines typed."""

    def isatty(self) -> bool:
        """It is one."""
        return True


@pytest.mark.parametrize(("typed", "code"), [("yes\n", 0), ("y\n", 2), ("\n", 2), ("", 2)])
def test_a_person_at_a_terminal_is_asked(
    run: Run,
    installed: Path,
    registry: Place,
    monkeypatch: pytest.MonkeyPatch,
    typed: str,
    code: int,
) -> None:
    log = rotated()
    installed.write_bytes(log.trust(4).format())
    publish(log, registry.folder)
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    said = Terminal()
    monkeypatch.setattr(sys, "stderr", said)
    assert run(START, "trust", "update", registry.url).code == code
    assert "Is this the change that was announced? Type yes: " in said.getvalue()
    assert log.trust(4).identity().format() in said.getvalue()
    assert (installed.read_bytes() == log.trust().format()) == (code == 0)


def test_the_installed_root_is_replaced_in_one_step(
    run: Run, installed: Path, registry: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed while it writes, the old one is whole."""
    log = grown()
    installed.write_bytes(log.trust(2).format())
    publish(log, registry.folder)

    def fail(self: Path, target: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    assert run(START, "trust", "update", registry.url).code == 2
    assert installed.read_bytes() == log.trust(2).format()
    assert [each.name for each in installed.parent.iterdir()] == ["trust.json"]


def test_a_renewed_root_tells_the_withdrawal_that_the_old_one_did_not_know(
    run: Run, installed: Path, registry: Place, tmp_path: Path
) -> None:
    made = build.make()
    leaf = {"leaf_hash": format_hash(made.sealed.record.leaf_hash), "reason": "issued-in-error"}
    made.log.publish(Round(notices=((build.NoticeType.KIT_WITHDRAWN, leaf),)))
    (tmp_path / "kit.zip").write_bytes(made.zip)
    installed.write_bytes(made.log.trust(1).format())
    publish(made.log, registry.folder)
    before = run(START + 300, "verify", tmp_path / "kit.zip")
    assert before.code == 0
    assert "15 – notices not known: trust root of 2026-01-31T12:01:00Z" in before.words
    assert run(START + 300, "trust", "update", registry.url).code == 0
    after = run(START + 300, "verify", tmp_path / "kit.zip")
    assert after.code == 3
    assert "kit-withdrawn" in after.words
