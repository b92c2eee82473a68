"""Ed25519: RFC 8032's vectors, and what a strict implementation refuses."""

import hashlib

import pytest

from attestlayer.keys import _SMALL_ORDER_Y, PrivateKey, PublicKey
from support.foreign import (
    BASE,
    MIXED_ORDER,
    RFC_8032,
    SIGNATURES,
    SMALL_ORDER,
    L,
    P,
    SignatureCase,
    add,
    encode,
    multiply,
    recover,
)


@pytest.mark.parametrize("test", RFC_8032, ids=["1", "2", "3"])
def test_signs_as_rfc_8032_does(test: tuple[str, ...]) -> None:
    seed, public, message, signature = (bytes.fromhex(text) for text in test)
    key = PrivateKey(seed)
    assert key.public.data == public
    assert key.sign(message) == signature
    assert key.public.verifies(signature, message)


@pytest.mark.parametrize("case", SIGNATURES, ids=lambda case: case.comment)
def test_takes_a_signature_or_refuses_it(case: SignatureCase) -> None:
    assert PublicKey(case.public).verifies(case.signature, case.message) == case.valid


@pytest.mark.parametrize(("comment", "data"), SMALL_ORDER, ids=[comment for comment, _ in SMALL_ORDER])
def test_refuses_public_keys_that_are_weak_or_written_otherwise(comment: str, data: bytes) -> None:
    with pytest.raises(ValueError, match="public key"):
        PublicKey(data)


def test_the_table_of_small_orders_is_what_the_curve_yields() -> None:
    for y in _SMALL_ORDER_Y:
        assert multiply(8, recover(y, 0)) == (0, 1)
    found = {int.from_bytes(data, "little") & (2**255 - 1) for _, data in SMALL_ORDER[:8]}
    assert found == _SMALL_ORDER_Y


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_public_key_has_32_bytes(length: int) -> None:
    with pytest.raises(ValueError, match="has 32 bytes"):
        PublicKey(bytes(length))


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_seed_has_32_bytes(length: int) -> None:
    with pytest.raises(ValueError, match="has 32 bytes"):
        PrivateKey(bytes(length))


@pytest.mark.parametrize("length", [0, 63, 65, 128])
def test_a_signature_of_another_length_does_not_verify(length: int) -> None:
    assert not PrivateKey(bytes(32)).public.verifies(bytes(length), b"")


def test_a_signature_does_not_verify_over_another_message_or_under_another_key() -> None:
    key, other = PrivateKey(bytes(32)), PrivateKey(bytes([1]) * 32)
    signature = key.sign(b"message")
    assert not key.public.verifies(signature, b"message ")
    assert not other.public.verifies(signature, b"message")


def test_kid_is_the_thumbprint_of_rfc_8037() -> None:
    # RFC 8037 appendices A.1 to A.3: the key of RFC 8032's test 1 and its thumbprint.
    key = PublicKey(bytes.fromhex(RFC_8032[0][1]))
    assert key.kid == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_a_private_key_does_not_show_its_seed() -> None:
    key = PrivateKey(bytes(range(32)))
    assert key.seed.hex() not in repr(key)
    assert repr(key.seed) not in repr(key)
    assert key.public.kid in repr(key)


@pytest.mark.parametrize("case", [c for c in SIGNATURES if c.public == MIXED_ORDER], ids=["m0", "m24"])
def test_with_a_key_of_mixed_order_it_matters_whether_k_is_reduced(case: SignatureCase) -> None:
    y = int.from_bytes(MIXED_ORDER, "little")
    x, y = recover(y & (2**255 - 1), y >> 255)
    assert multiply(4 * L, (x, y)) != (0, 1) == multiply(8 * L, (x, y))
    k = int.from_bytes(hashlib.sha512(case.signature[:32] + case.public + case.message).digest(), "little")
    s = int.from_bytes(case.signature[32:], "little")
    holds = [
        encode(add(multiply(s, BASE), multiply(scalar, (P - x, y)))) == case.signature[:32]
        for scalar in (k % L, k)
    ]
    assert holds == [case.valid, not case.valid]


def test_the_curves_constants() -> None:
    assert pow(2, P - 1, P) == 1
    assert multiply(L, recover(4 * pow(5, -1, P) % P, 0)) == (0, 1)
