"""Ed25519 signatures (RFC 8032, pure): by the package `cryptography` if it is here, else as written here.

A slow and plain implementation, about 3 ms a signature. It only checks, so nothing of it is secret and
nothing has to take the same time for all inputs.
"""

import hashlib
from collections.abc import Iterator

_Q = 2**255 - 19  # RFC 8032 section 5.1: the field's prime,
_L = 2**252 + 27742317777372353535851937790883648493  # the order of the base point,
_CURVE_D = -121665 * pow(121666, -1, _Q) % _Q  # and the curve's d

Extended = tuple[int, int, int, int]
"""A point as (X, Y, Z, T): x = X/Z, y = Y/Z, x·y = T/Z (RFC 8032 section 5.1.4)."""

_NEUTRAL = (0, 1, 1, 0)


def check_signature(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether `signature` is `public`'s over `message`: S < L, R canonical, the equation without cofactor.

    `public` is a strict encoding of a point of large order: `keys` sees to that.
    """
    try:
        from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        return check_signature_here(public, signature, message)
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        return False
    except UnsupportedAlgorithm:  # its OpenSSL is built or set up without Ed25519
        return check_signature_here(public, signature, message)
    return True


def check_signature_here(public: bytes, signature: bytes, message: bytes) -> bool:
    """The same without `cryptography`: RFC 8032 section 5.1.7, strict."""
    s = int.from_bytes(signature[32:], "little")
    if len(signature) != 64 or s >= _L:  # step 1
        return False
    digest = hashlib.sha512(signature[:32] + public + message).digest()  # step 2
    k = int.from_bytes(digest, "little") % _L
    # Step 3 as R = S·B − k·A. Comparing encodings refuses an R that is not canonical or not a point.
    return _encode(_add_multiples(s, _BASE, k, _negate(_decode(public)))) == signature[:32]


def _add_multiples(s: int, one: Extended, k: int, other: Extended) -> Extended:
    """s · one + k · other, both scalars' bits at once, from the highest."""
    both = _add(one, other)
    result = _NEUTRAL
    for bit_s, bit_k in _bits(s, k):
        result = _add(result, result)
        if bit_s and bit_k:
            result = _add(result, both)
        elif bit_s:
            result = _add(result, one)
        elif bit_k:
            result = _add(result, other)
    return result


def _bits(s: int, k: int) -> Iterator[tuple[int, int]]:
    for n in reversed(range(max(s.bit_length(), k.bit_length()))):
        yield s >> n & 1, k >> n & 1


def _add(one: Extended, other: Extended) -> Extended:
    """The sum of two points, which may be the same (RFC 8032 section 5.1.4; complete on this curve)."""
    x1, y1, z1, t1 = one
    x2, y2, z2, t2 = other
    a = (y1 - x1) * (y2 - x2) % _Q
    b = (y1 + x1) * (y2 + x2) % _Q
    c = 2 * t1 * t2 * _CURVE_D % _Q
    d = 2 * z1 * z2 % _Q
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _Q, g * h % _Q, f * g % _Q, e * h % _Q


def _negate(point: Extended) -> Extended:
    x, y, z, t = point
    return _Q - x, y, z, _Q - t


def _encode(point: Extended) -> bytes:
    """RFC 8032 section 5.1.2."""
    x, y, z, _ = point
    inverse = pow(z, -1, _Q)
    return (y * inverse % _Q | (x * inverse % _Q & 1) << 255).to_bytes(32, "little")


def _decode(data: bytes) -> Extended:
    """RFC 8032 section 5.1.3, for what `keys` has found to be a point's canonical encoding."""
    encoded = int.from_bytes(data, "little")
    y, odd = encoded & (2**255 - 1), encoded >> 255
    square = (y * y - 1) * pow(_CURVE_D * y * y + 1, -1, _Q) % _Q
    x = pow(square, (_Q + 3) // 8, _Q)  # step 3, of which this is a root or the root of −x²
    if x * x % _Q != square:
        x = x * pow(2, (_Q - 1) // 4, _Q) % _Q
    if x * x % _Q != square:
        raise ValueError("not a point of the curve")
    if x & 1 != odd:  # step 4
        x = _Q - x
    return x, y, 1, x * y % _Q


_BASE = _decode((4 * pow(5, -1, _Q) % _Q).to_bytes(32, "little"))  # y = 4/5, x even
