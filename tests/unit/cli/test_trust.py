"""`attestlayer trust`: what a trust root says, and when a new one takes the place of the old."""

from collections.abc import Callable
from pathlib import Path

import pytest

from attestlayer.log.notices import Role, key_added
from attestlayer.log.trust import TrustRoot
from support import build
from unit.cli.conftest import Run

OTHER = build.private_key("second registry key")


def after(*rounds: build.Round, **options: object) -> TrustRoot:
    log = build.Log(**options)  # type: ignore[arg-type]
    for plan in rounds:
        log.publish(plan)
    return log.trust()


def quorum(threshold: str) -> build.NoticeContent:
    policy = build.quorum_policy([build.witness(1), build.witness(2)], threshold)
    return build.witness_policy("2026-01-31T12:00:00Z", policy)


def test_a_trust_root_is_shown_with_identity_keys_and_counts(
    run: Run, files: Path, delivered: build.Delivered
) -> None:
    result = run("trust", files / "trust.json")
    assert result.code == 0
    for shown in (
        delivered.trust.identity().format(),
        build.REGISTRY.public.kid,
        build.ISSUER.public.kid,
        build.ORIGIN,
        "(2 days ago)",
        "none demanded",
    ):
        assert shown in result.out


def test_revoked_keys_and_witnesses_are_shown(run: Run, files: Path) -> None:
    revoked = build.key_revoked(build.ISSUER, "2026-01-31T12:00:30Z")
    (files / "trust.json").write_bytes(after(build.Round(notices=(revoked, quorum("any")))).format())
    out = run("trust", files / "trust.json").out
    assert "REVOKED at 31 January 2026, 12:00:30 UTC" in " ".join(out.split())
    assert "witness.example.net/w1" in out


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff", b"[" * 100_000])
def test_an_unusable_trust_root_exits_2(run: Run, files: Path, config: Path, data: bytes) -> None:
    (files / "bad.json").write_bytes(data)
    result = run("trust", "--install", files / "bad.json")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"attestlayer: trust-root-unusable: {files / 'bad.json'}: ")
    assert not config.exists()


def test_installing_copies_the_file_byte_for_byte_and_shows_the_identity(
    run: Run, files: Path, config: Path, delivered: build.Delivered
) -> None:
    result = run("trust", "--install", files / "trust.json")
    assert result.code == 0
    assert delivered.trust.identity().format() in result.out
    assert config.read_bytes() == (files / "trust.json").read_bytes()
    assert [path.name for path in config.parent.iterdir()] == ["trust.json"]
    assert "holds this trust root already" in run("trust", "--install", files / "trust.json").out


def test_an_update_that_extends_the_old_one_is_installed_and_says_what_was_not_shown(
    run: Run, files: Path, config: Path
) -> None:
    log = build.Log()
    (files / "old.json").write_bytes(log.trust().format())
    log.publish(build.Round(notices=(key_added(Role.REGISTRY, OTHER.public, build.START + 60),)))
    (files / "new.json").write_bytes(log.trust().format())
    run("trust", "--install", files / "old.json")
    result = run("trust", "--install", files / "new.json")
    assert result.code == 0
    assert "was not shown" in " ".join(result.out.split())
    assert config.read_bytes() == (files / "new.json").read_bytes()


def old_root() -> TrustRoot:
    return after(build.Round())


REFUSED: dict[str, tuple[Callable[[], TrustRoot], str]] = {
    "other origin": (
        lambda: after(build.Round(), build.Round(), origin="other.example.org"),
        "not installed: it is the trust root of another registry, other.example.org",
    ),
    "older": (after, "older"),
    "other notices": (
        lambda: after(build.Round(), build.Round(), issuer=build.STRANGER),
        "its notices are not those of the one in use and more",
    ),
    "another face": (lambda: after(build.Round(leaves=build.OTHER_LEAVES)), "two faces"),
    "a key of its own": (
        lambda: after(
            build.Round(),
            build.Round(notices=(key_added(Role.REGISTRY, OTHER.public, build.START + 60),)),
            build.Round(signers=(OTHER,)),
        ),
        "which the one in use does not have",
    ),
    "other witnesses": (
        lambda: after(build.Round(), build.Round(notices=(quorum("any"),))),
        "the witness policy changed from none to from",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_update_is_refused_and_the_old_one_stays(run: Run, files: Path, config: Path, case: str) -> None:
    make, wanted = REFUSED[case]
    (files / "old.json").write_bytes(old_root().format())
    (files / "new.json").write_bytes(make().format())
    run("trust", "--install", files / "old.json")
    result = run("trust", "--install", files / "new.json")
    assert result.code == 2
    assert wanted in result.err
    assert config.read_bytes() == (files / "old.json").read_bytes()


def test_a_changed_witness_policy_is_installed_when_it_is_accepted(
    run: Run, files: Path, config: Path
) -> None:
    (files / "old.json").write_bytes(old_root().format())
    (files / "new.json").write_bytes(REFUSED["other witnesses"][0]().format())
    run("trust", "--install", files / "old.json")
    name = run("trust", "--install", files / "new.json").err.rpartition("--accept ")[2].strip()
    assert run("trust", "--install", "--accept", name, files / "new.json").code == 0
    assert config.read_bytes() == (files / "new.json").read_bytes()


def test_an_installed_file_that_is_unusable_is_not_overwritten(run: Run, files: Path, config: Path) -> None:
    config.parent.mkdir(parents=True)
    config.write_bytes(b"mine")
    assert run("trust", "--install", files / "trust.json").code == 2
    assert config.read_bytes() == b"mine"
