"""Ed25519 keys (RFC 8032, pure): strict public keys, thumbprints, signing and checking.

A public key is refused unless its encoding is canonical, it lies on the curve and it is of large
order, so that one signature can't verify under several meanings.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache

from attestlayer import ed25519
from attestlayer.canonical import format_json
from attestlayer.encoding import format_base64url, sha256, shown

KEY_LENGTH = 32
SIGNATURE_LENGTH = 64

_P = 2**255 - 19  # RFC 8032 section 5.1
_D = -121665 * pow(121666, -1, _P) % _P
# y coordinates of the points whose order divides 8: 0 (order 4), ±1 (1 and 2), and the two of order 8.
_Y8 = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
_SMALL_ORDER_Y = frozenset({0, 1, _P - 1, _Y8, _P - _Y8})


@dataclass(frozen=True)
class PublicKey:
    """An Ed25519 public key; `data` is its 32-byte encoding."""

    data: bytes

    def __post_init__(self) -> None:
        _check_point(self.data)

    @cached_property
    def kid(self) -> str:
        """RFC 7638 JWK thumbprint, SHA-256, base64url."""
        jwk = {"crv": "Ed25519", "kty": "OKP", "x": format_base64url(self.data)}
        return format_base64url(sha256(format_json(jwk)))

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Whether `signature` (64 bytes) is this key's over `message`; cofactorless, S < L."""
        return ed25519.check_signature(self.data, signature, message)


@dataclass(frozen=True)
class PrivateKey:
    """An Ed25519 private key: its 32-byte seed (RFC 8032 section 5.1.5). Never printed."""

    seed: bytes

    def __post_init__(self) -> None:
        if len(self.seed) != KEY_LENGTH:
            raise ValueError(f"a seed has {KEY_LENGTH} bytes, found {len(self.seed)}")

    def __repr__(self) -> str:
        return f"PrivateKey(kid={self.public.kid})"

    @cached_property
    def public(self) -> PublicKey:
        """The public key of this seed."""
        return PublicKey(ed25519.public_of(self.seed))

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature over `message`."""
        return ed25519.sign(self.seed, message)


@lru_cache(maxsize=256)
def _check_point(data: bytes) -> None:
    """RFC 8032 section 5.1.3, made strict: canonical y, a point on the curve, not of small order."""
    if len(data) != KEY_LENGTH:
        raise ValueError(f"an Ed25519 public key has {KEY_LENGTH} bytes, found {len(data)}")
    # The top bit is the sign of x; the rest is y (RFC 8032 section 5.1.2).
    y = int.from_bytes(data, "little") & (2**255 - 1)
    if y >= _P:
        raise ValueError(f"public key {shown(data.hex())} is not canonically encoded")
    if y in _SMALL_ORDER_Y:
        raise ValueError(f"public key {shown(data.hex())} is a point of small order")
    # x² = (y² − 1) / (d·y² + 1); Euler's criterion says whether that has a root (RFC 8032 section 5.1.3).
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    if pow(square, (_P - 1) // 2, _P) != 1:
        raise ValueError(f"public key {shown(data.hex())} is not a point of the curve")
