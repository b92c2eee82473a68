"""A key signs one log: wherever another's key, or this key for another log, can be seen, it is refused."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from attestlayer.encoding import format_time
from attestlayer.log.notices import Role, key_added
from issuer.bootstrap.home import HOME_FILE, initialise_home, open_home
from issuer.errors import Code, LogHaltedError, ServiceError
from issuer.services.sequence import RoundOutcome, Sequencer
from issuer.settings import Settings
from support.log import ORIGIN, REGISTRY, START, SeedSigner, TestLog, queue

OTHER = "other.test"


def refusal(folder: Path, origin: str = ORIGIN) -> ServiceError:
    with pytest.raises(ServiceError) as refused:
        initialise_home(Settings(folder), origin)
    return refused.value


@pytest.fixture
def home(tmp_path: Path) -> Path:
    initialise_home(Settings(tmp_path / "home"), ORIGIN)
    return tmp_path / "home"


@pytest.mark.parametrize("role", ["registry", "issuer"])
@pytest.mark.parametrize("origin", [ORIGIN, OTHER])
def test_a_new_home_with_another_homes_key_is_refused(
    home: Path, tmp_path: Path, role: str, origin: str
) -> None:
    (tmp_path / "new/keys").mkdir(parents=True)
    shutil.copy(home / f"keys/{role}.key", tmp_path / "new/keys")
    error = refusal(tmp_path / "new", origin)
    assert error.code is Code.KEY_UNUSABLE
    assert "no key serves two logs" in error.detail
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["keys"]


def test_another_origins_key_in_a_homes_place_is_refused(home: Path, tmp_path: Path) -> None:
    initialise_home(Settings(tmp_path / "other"), OTHER)
    for role in ("registry", "issuer"):
        kept = (home / f"keys/{role}.key").read_bytes()
        shutil.copy(tmp_path / f"other/keys/{role}.key", home / "keys")
        with pytest.raises(ServiceError, match=f"its origin is '{OTHER}', wanted '{ORIGIN}'"):
            open_home(Settings(home))
        (home / f"keys/{role}.key").write_bytes(kept)
    assert open_home(Settings(home)).sequencer.run().checkpoint


def test_a_home_that_is_told_another_origin_is_refused(home: Path) -> None:
    assert refusal(home, OTHER).code is Code.HOME_UNUSABLE
    file = home / HOME_FILE
    file.write_bytes(file.read_bytes().replace(ORIGIN.encode(), OTHER.encode()))
    with pytest.raises(ServiceError, match="its origin is"):
        open_home(Settings(home))


@pytest.mark.parametrize("look", range(7))
def test_an_initialiser_that_is_overtaken_between_two_looks_continues_the_faster_ones_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, look: int
) -> None:
    home = tmp_path / "home"
    looks = iter(range(1000))

    def overtaken(real: Callable[[Path], Any]) -> Callable[[Path], Any]:
        def looked(path: Path) -> Any:
            if home in (path, *path.parents) and next(looks) == look:
                initialise_home(Settings(home), ORIGIN)
            return real(path)

        return looked

    for name in ("exists", "iterdir"):
        monkeypatch.setattr(Path, name, overtaken(getattr(Path, name)))
    service = initialise_home(Settings(home), ORIGIN)
    assert next(looks) > look, "nobody was overtaken"
    keys = service.registry_signers.keys()
    assert keys == open_home(Settings(home)).registry_signers.keys()
    assert all(kid in str(service.public.read("v1/jwks/registry.jwks.json")) for kid in keys)


def test_another_logs_key_of_the_same_origin_signs_nothing(log: TestLog) -> None:
    ports = log.init()
    log.clock.time += 60
    other = SeedSigner("another log's")
    with pytest.raises(ServiceError) as refused:
        Sequencer(replace(ports, signers={other.public.kid: other})).run()
    assert refused.value.code is Code.KEY_UNUSABLE
    assert "the keys at hand are " + other.public.kid in refused.value.detail


def test_stores_of_another_origin_under_the_same_key_sign_nothing(log: TestLog) -> None:
    ports = replace(log.init(), origin=OTHER)
    log.clock.time += 60
    assert set(ports.signers) == {REGISTRY.public.kid}
    with pytest.raises(LogHaltedError, match=f"this home holds the log {ORIGIN}, wanted {OTHER}"):
        Sequencer(ports).run()


def test_a_key_that_the_notices_have_already_gets_no_second_role(log: TestLog) -> None:
    ports = log.init()
    kind, data = key_added(Role.ISSUER, REGISTRY.public, START)
    assert data["valid_from"] == format_time(START)
    poison = queue(ports, kind.value, data)
    for _ in range(2):
        assert log.round(ports).outcome == RoundOutcome.PUBLISHED
    assert ports.ledger.queued_notices() == (poison,)
