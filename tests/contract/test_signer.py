"""What every `Signer` promises, and what a key of KMS refuses."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from attestlayer.log.notices import Role
from contract.places import code_of
from issuer.adapters.aws.kms import MAX_MESSAGE_LENGTH, Binding, KmsSigner, WrappedKey, wrap_seed
from issuer.adapters.local.keys import KeyRole, LocalKey, create_key
from issuer.adapters.system import SystemEntropy
from issuer.errors import Code, StoreError
from issuer.ports import Signer
from support.cloud_home import signing_key, wrapping_key
from support.cloud_places import client
from support.cloud_servers import MINISTACK, server_url

ORIGIN = "registry.example.org"
BINDING = Binding(Role.ISSUER, ORIGIN)
SEED = bytes(range(32))


def kms() -> Any:
    return client("kms", server_url(MINISTACK))


def open_local(place: Path) -> Signer:
    path = place / "issuer.key"
    return (
        LocalKey(path, KeyRole.ISSUER, ORIGIN)
        if path.exists()
        else create_key(path, KeyRole.ISSUER, ORIGIN, SystemEntropy())
    )


def open_kms(place: Path) -> Signer:
    return KmsSigner(kms(), signing_key(place, "issuer", ORIGIN), BINDING)


def open_wrapped(place: Path) -> Signer:
    path = place / "wrapped.json"
    if not path.exists():
        path.write_bytes(wrap_seed(kms(), wrapping_key(place), BINDING, SEED))
    return WrappedKey(kms(), wrapping_key(place), BINDING, path.read_bytes())


Opener = Callable[[Path], Signer]


@pytest.fixture(params=[open_local, open_kms, open_wrapped], ids=["local", "kms", "wrapped"])
def opened(request: pytest.FixtureRequest) -> Opener:
    return request.param  # type: ignore[no-any-return]


@pytest.mark.parametrize("length", [0, 1, 1000, MAX_MESSAGE_LENGTH])
def test_a_signature_is_of_the_public_key_and_pure(opened: Opener, tmp_path: Path, length: int) -> None:
    signer, message = opened(tmp_path), b"m" * length
    signature = signer.sign(message)
    assert len(signature) == 64
    assert signer.public.verifies(signature, message)
    assert not signer.public.verifies(signature, message + b"!")
    assert signer.sign(message) == signature, "RFC 8032 signatures have no chance in them"


def test_a_key_stays_the_same_key(opened: Opener, tmp_path: Path) -> None:
    assert opened(tmp_path).public == opened(tmp_path).public


# What only KMS has: a limit, bindings, keys that are no keys for us.


def test_what_kms_would_not_sign_is_refused_before_it_is_sent(tmp_path: Path) -> None:
    signer = open_kms(tmp_path)
    assert code_of(lambda: signer.sign(b"m" * (MAX_MESSAGE_LENGTH + 1))) is Code.KEY_UNUSABLE


@pytest.mark.parametrize(
    "binding", [Binding(Role.REGISTRY, ORIGIN), Binding(Role.ISSUER, "registry.other.org")], ids=str
)
def test_a_key_of_another_role_or_origin_is_refused(tmp_path: Path, binding: Binding) -> None:
    assert (
        code_of(lambda: KmsSigner(kms(), signing_key(tmp_path, "issuer", ORIGIN), binding))
        is Code.KEY_UNUSABLE
    )
    wrapped = wrap_seed(kms(), wrapping_key(tmp_path), BINDING, SEED)
    assert code_of(lambda: WrappedKey(kms(), wrapping_key(tmp_path), binding, wrapped)) is Code.KEY_UNUSABLE
    # A document that was relabelled: KMS itself does not decrypt it under another context.
    relabelled = wrapped.replace(ORIGIN.encode(), binding.origin.encode()).replace(
        b'"role":"issuer"', f'"role":"{binding.role.value}"'.encode()
    )
    assert (
        code_of(lambda: WrappedKey(kms(), wrapping_key(tmp_path), binding, relabelled)) is Code.KEY_UNUSABLE
    )


def test_a_key_without_tags_is_refused() -> None:
    made = kms().create_key(KeySpec="ECC_NIST_EDWARDS25519", KeyUsage="SIGN_VERIFY")
    key_id = made["KeyMetadata"]["KeyId"]
    assert code_of(lambda: KmsSigner(kms(), key_id, BINDING)) is Code.KEY_UNUSABLE


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    made = kms().create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    for key_id in (made["KeyMetadata"]["KeyId"], wrapping_key(tmp_path)):
        assert code_of(lambda key_id=key_id: KmsSigner(kms(), key_id, BINDING)) is Code.KEY_UNUSABLE  # type: ignore[misc]


def test_a_key_that_is_not_there_is_refused() -> None:
    # A signing key: ministack decrypts with the key that the ciphertext names, whichever it is told to use.
    absent = "1234abcd-12ab-34cd-56ef-1234567890ab"
    assert code_of(lambda: KmsSigner(kms(), absent, BINDING)) is Code.KEY_UNUSABLE
    assert code_of(lambda: wrap_seed(kms(), absent, BINDING, SEED)) is Code.KEY_UNUSABLE


@pytest.mark.parametrize(
    "old, new", [(b'"kid":"', b'"kid":"x'), (b"wrapped-key/1", b"wrapped-key/2"), (b"{", b"")]
)
def test_a_damaged_document_is_refused(tmp_path: Path, old: bytes, new: bytes) -> None:
    wrapped = wrap_seed(kms(), wrapping_key(tmp_path), BINDING, SEED)
    damaged = wrapped.replace(old, new, 1)
    assert code_of(lambda: WrappedKey(kms(), wrapping_key(tmp_path), BINDING, damaged)) is Code.KEY_UNUSABLE


def test_a_key_that_was_changed_behind_its_name_is_found_when_it_signs(tmp_path: Path) -> None:
    signer = KmsSigner(kms(), signing_key(tmp_path, "issuer", ORIGIN), BINDING)
    signer._key_id = signing_key(tmp_path / "other", "issuer", ORIGIN)
    assert code_of(lambda: signer.sign(b"m")) is Code.KEY_UNUSABLE


def test_kms_that_does_not_answer_is_a_store_error(tmp_path: Path) -> None:
    signer = KmsSigner(kms(), signing_key(tmp_path, "issuer", ORIGIN), BINDING)
    signer._client = client("kms", "http://127.0.0.1:9")
    with pytest.raises(StoreError):
        signer.sign(b"m")
