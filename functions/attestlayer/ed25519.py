"""Ed25519 (RFC 8032, pure) on raw bytes. The only user of `cryptography`.

Everything raises `NoEd25519Error` where the library has none, as where its OpenSSL is in FIPS mode.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from attestlayer.errors import NoEd25519Error


def check_signature(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether `signature` is `public`'s over `message`: S < L, R canonical, the equation without cofactor.

    `public` is a strict encoding of a point of large order: `keys` sees to that.
    """
    try:
        with _supported():
            Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def sign(seed: bytes, message: bytes) -> bytes:
    """The 64-byte signature by the key of a 32-byte seed."""
    with _supported():
        return Ed25519PrivateKey.from_private_bytes(seed).sign(message)


def public_of(seed: bytes) -> bytes:
    """The public key of a seed."""
    with _supported():
        return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


@contextmanager
def _supported() -> Iterator[None]:
    try:
        yield
    except UnsupportedAlgorithm as error:
        raise NoEd25519Error from error
