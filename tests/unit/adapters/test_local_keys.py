"""Key files: what is written, and what is refused without telling the seed."""

import errno
import os
import stat
import traceback
from pathlib import Path

import pytest

from attestlayer.encoding import format_base64url
from attestlayer.keys import PrivateKey
from issuer.adapters.local.keys import KeyRole, LocalKey, create_key
from issuer.errors import Code, ServiceError, StoreError

SEED = bytes(range(200, 232))
ORIGIN = "registry.example.org"
KEY = PrivateKey(SEED)
OTHER = PrivateKey(bytes(32))
TEXT = f"""attestlayer-key/1
role: registry
origin: {ORIGIN}
kid: {KEY.public.kid}
seed: {format_base64url(SEED)}
"""


class FixedEntropy:
    """The same "random" bytes each time."""

    def token(self, length: int) -> bytes:
        assert length == len(SEED)
        return SEED


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "registry.key"


def write(path: Path, text: str, mode: int = 0o600) -> None:
    path.write_bytes(text.encode())
    path.chmod(mode)


def refusal(path: Path, role: KeyRole = KeyRole.REGISTRY, origin: str = ORIGIN) -> str:
    with pytest.raises(ServiceError) as caught:
        LocalKey(path, role, origin)
    assert caught.value.code is Code.KEY_UNUSABLE
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert format_base64url(SEED)[:20] not in shown
    assert str(path) in caught.value.detail
    return caught.value.detail


def test_a_new_key_has_a_file_for_its_owner_only(path: Path) -> None:
    before = os.umask(0)
    try:
        key = create_key(path, KeyRole.REGISTRY, ORIGIN, FixedEntropy())
    finally:
        os.umask(before)
    assert path.read_text() == TEXT
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert key.public == KEY.public


def test_a_key_signs_after_it_is_read_again(path: Path) -> None:
    create_key(path, KeyRole.ISSUER, ORIGIN, FixedEntropy())
    key = LocalKey(path, KeyRole.ISSUER, ORIGIN)
    assert key.public.verifies(key.sign(b"message"), b"message")
    assert key.sign(b"message") == KEY.sign(b"message")


def test_a_key_is_not_shown(path: Path) -> None:
    key = create_key(path, KeyRole.REGISTRY, ORIGIN, FixedEntropy())
    assert format_base64url(SEED) not in repr(key) + str(vars(key))
    assert repr(SEED) not in repr(key) + str(vars(key))


def test_a_file_that_is_there_is_not_replaced(path: Path) -> None:
    write(path, "mine")
    with pytest.raises(ServiceError) as caught:
        create_key(path, KeyRole.REGISTRY, ORIGIN, FixedEntropy())
    assert caught.value.code is Code.ALREADY_EXISTS
    assert path.read_text() == "mine"


def test_a_key_that_can_not_be_stored_leaves_no_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StoreError, match=r"create key file .*No space left on device \(ENOSPC\)"):
        create_key(path, KeyRole.REGISTRY, ORIGIN, FixedEntropy())
    assert not path.exists()


def test_a_missing_folder_is_a_store_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="ENOENT"):
        create_key(tmp_path / "missing" / "key", KeyRole.REGISTRY, ORIGIN, FixedEntropy())


def test_a_missing_file_is_refused(path: Path) -> None:
    assert "No such file" in refusal(path)


def test_a_folder_or_a_pipe_is_refused(tmp_path: Path) -> None:
    assert "directory" in refusal(tmp_path)
    os.mkfifo(tmp_path / "pipe", 0o600)
    assert "not a file" in refusal(tmp_path / "pipe")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610, 0o644])
def test_a_file_that_others_may_read_is_refused(path: Path, mode: int) -> None:
    write(path, TEXT, mode)
    assert f"mode is {mode:04o}, wanted 0600" in refusal(path)


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_file_for_its_owner_only_is_taken(path: Path, mode: int) -> None:
    write(path, TEXT, mode)
    assert LocalKey(path, KeyRole.REGISTRY, ORIGIN).public == KEY.public


def test_a_key_of_another_role_is_refused(path: Path) -> None:
    write(path, TEXT)
    assert "role is 'registry', wanted 'issuer'" in refusal(path, KeyRole.ISSUER)


def test_a_key_of_another_origin_is_refused(path: Path) -> None:
    write(path, TEXT)
    wanted = "origin is 'registry.example.org', wanted 'sandbox.example.org'"
    assert wanted in refusal(path, origin="sandbox.example.org")


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("attestlayer-key/1", "attestlayer-key/2", "begin with the line"),
        ("attestlayer-key/1\n", "", "begin with the line"),
        ("attestlayer-key/1\n", "attestlayer-key/1\r\n", "begin with the line"),
        (f"kid: {KEY.public.kid}\n", "", "wanted the lines"),
        (f"kid: {KEY.public.kid}", f"kid: {OTHER.public.kid}", "kid is not"),
        (f"kid: {KEY.public.kid}", f"kid: {format_base64url(SEED)}", "kid is not"),
        ("role: registry\n", f"role: {format_base64url(SEED)}\n", "role is none of"),
        ("role: ", "role:  ", "role is none of"),
        (f"origin: {ORIGIN}", f"origin: {format_base64url(SEED)}", "origin is not"),
        ("seed: ", "seed:", "begins with seed:"),
        ("seed: ", f"seed: {format_base64url(SEED)}", "seed is not 32 bytes"),
        (f"seed: {format_base64url(SEED)}", f"seed: {format_base64url(SEED)[:-1]}", "seed is not 32 bytes"),
        (f"seed: {format_base64url(SEED)}", f"seed: {format_base64url(SEED)}=", "seed is not 32 bytes"),
        (f"seed: {format_base64url(SEED)}", f"seed: {format_base64url(bytes(32))}", "kid is not"),
        (f"{format_base64url(SEED)}\n", format_base64url(SEED), "wanted the lines"),
        (f"{format_base64url(SEED)}\n", f"{format_base64url(SEED)}\n\n", "wanted the lines"),
        ("role: registry\norigin", "origin: x\nrole", "begins with role:"),
        (TEXT, "", "begin with the line"),
        (TEXT, TEXT + "x" * 2000, "begin with the line"),
    ],
)
def test_a_damaged_file_is_refused(path: Path, before: str, after: str, told: str) -> None:
    assert TEXT.count(before) == 1
    write(path, TEXT.replace(before, after))
    assert told in refusal(path)
