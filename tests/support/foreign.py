"""Values that others published, and edge cases of Ed25519 worked out from the curve's equation."""

import hashlib
import itertools
from dataclasses import dataclass

RFC_6962_LEAVES = tuple(
    bytes.fromhex(leaf)
    for leaf in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
)
"""The eight inputs of certificate-transparency's Merkle tree tests."""

RFC_6962_ROOTS = tuple(
    bytes.fromhex(root)
    for root in (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    )
)
"""The roots over the first 0 … 8 of them, from the same tests."""

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
Point = tuple[int, int]


def add(one: Point, other: Point) -> Point:
    """The sum of two points (RFC 8032 section 5.1)."""
    (x1, y1), (x2, y2) = one, other
    t = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + x2 * y1) * pow(1 + t, -1, P) % P
    return x, (y1 * y2 + x1 * x2) * pow(1 - t, -1, P) % P


def multiply(scalar: int, point: Point) -> Point:
    """scalar · point."""
    result = (0, 1)
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point, scalar = add(point, point), scalar >> 1
    return result


def encode(point: Point) -> bytes:
    """RFC 8032 section 5.1.2."""
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


def recover(y: int, odd: int) -> Point:
    """The point of that y with an odd or even x (RFC 8032 section 5.1.3)."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    if x * x % P != square:
        raise ValueError("not on the curve")
    return (x if x & 1 == odd else P - x), y


BASE = recover(4 * pow(5, -1, P) % P, 0)


@dataclass(frozen=True)
class SignatureCase:
    """A signature with what RFC 8032's strict check makes of it."""

    comment: str
    public: bytes
    message: bytes
    signature: bytes
    valid: bool


RFC_8032 = (
    # RFC 8032 section 7.1, tests 1 to 3: seed, public key, message, signature.
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555f"
            "b8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da08"
            "5ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18"
            "ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
)


def _edge_cases() -> list[SignatureCase]:
    """Signatures by RFC 8032's second key that some implementations take and a strict one refuses."""
    seed, public, message, signature = (bytes.fromhex(text) for text in RFC_8032[1])
    s = int.from_bytes(signature[32:], "little")
    secret = hashlib.sha512(seed).digest()
    a = int.from_bytes(secret[:32], "little") & (2**254 - 8) | 2**254
    r = int.from_bytes(hashlib.sha512(secret[32:] + message).digest(), "little") % L

    def with_r(point_r: bytes) -> bytes:
        k = int.from_bytes(hashlib.sha512(point_r + public + message).digest(), "little") % L
        return point_r + ((r + k * a) % L).to_bytes(32, "little")

    order_two = (0, P - 1)
    shifted = with_r(encode(add(multiply(r, BASE), order_two)))
    flipped = bytes([signature[0] ^ 1]) + signature[1:]
    given = (
        ("S + L in place of S.", signature[:32] + (s + L).to_bytes(32, "little")),
        ("S = L.", signature[:32] + L.to_bytes(32, "little")),
        ("R shifted by a point of order two: only the equation with the cofactor holds.", shifted),
        ("A bit of R flipped.", flipped),
        ("All zero.", bytes(64)),
        ("R and S swapped.", signature[32:] + signature[:32]),
        ("R is the neutral element, not canonically encoded.", (P + 1).to_bytes(32, "little") + bytes(32)),
    )
    assert with_r(encode(multiply(r, BASE))) == signature  # the arithmetic above is right
    return [SignatureCase(comment, public, message, bad, False) for comment, bad in given]


MIXED_ORDER = bytes.fromhex("c071b7719870acebe8257c09074a37feef0f7eac8adbc2d2d2b6ee9d0bbb8abd")
"""A public key of order 8·L. REG-1.0 section 2.7 takes it; then [k]A depends on k modulo 8·L."""

_MIXED_ORDER_CASES = (
    SignatureCase(
        "A key of mixed order: the equation holds with k reduced modulo L, and not with k as it was.",
        MIXED_ORDER,
        b"m0",
        bytes.fromhex(
            "e7caaa83373a94afae43fec59b447c99ba282b19a7616c24c785ad8966a1e10e"
            "289ccc2a662b8288727176c53276ae467100fba41b14c35b89cc3a628aebd20a"
        ),
        True,
    ),
    SignatureCase(
        "A key of mixed order: the equation holds with k as it was, and not with k reduced modulo L.",
        MIXED_ORDER,
        b"m24",
        bytes.fromhex(
            "3dc127f359439590c59679f5f4956529069c510518dab82e797e69597101eb1a"
            "dde2443d1cc8d62889afdbb6a4e6e1bad143498b8a59e9c09c0315eb7ea46409"
        ),
        False,
    ),
)

SIGNATURES = (
    *(
        SignatureCase(f"RFC 8032 section 7.1, test {number}.", public, message, signature, True)
        for number, (_, public, message, signature) in enumerate(
            (tuple(bytes.fromhex(text) for text in test) for test in RFC_8032), 1
        )
    ),
    *_edge_cases(),
    *_MIXED_ORDER_CASES,
)


def torsion_cases(messages: int) -> list[SignatureCase]:
    """Keys and R with each component of small order: the families of C2SP's CCTV and of speccheck.

    With A = a·B + i·T and R = r·B + j·T, T of order 8, the strict equation holds just if 8 divides j + k·i.
    """
    generator = _torsion_generator()
    torsion = [multiply(n, generator) for n in range(8)]
    a, r = (int.from_bytes(hashlib.sha512(seed).digest(), "little") % L for seed in (b"a", b"r"))
    key, nonce = multiply(a, BASE), multiply(r, BASE)
    cases = []
    for i, j, n in itertools.product(range(8), range(8), range(messages)):
        public, point = encode(add(key, torsion[i])), encode(add(nonce, torsion[j]))
        message = f"{i} {j} {n}".encode()
        k = int.from_bytes(hashlib.sha512(point + public + message).digest(), "little") % L
        s = (r + k * a) % L
        comment = f"A with {i} and R with {j} times the point of order 8, message {n}"
        signature = point + s.to_bytes(32, "little")
        cases.append(SignatureCase(f"{comment}.", public, message, signature, (j + k * i) % 8 == 0))
        signature = point + (s + L).to_bytes(32, "little")
        cases.append(SignatureCase(f"{comment}, S + L.", public, message, signature, False))
    return cases


def _torsion_generator() -> Point:
    """A point of order 8."""
    for y in itertools.count(2):
        try:
            point = multiply(L, recover(y, 0))
        except ValueError:
            continue
        if multiply(4, point) != (0, 1):
            return point
    raise AssertionError


def _small_order() -> list[tuple[str, bytes]]:
    """Encodings of the eight points of small order, and others that no strict reader takes."""
    generator = _torsion_generator()  # L times any point is of an order that divides 8
    found = [multiply(n, generator) for n in range(8)]
    points = [(f"Point {n} of the eight of small order.", encode(point)) for n, point in enumerate(found)]
    return [
        *points,
        ("x = 0 with its sign bit set.", (1 | 1 << 255).to_bytes(32, "little")),
        ("y = p.", P.to_bytes(32, "little")),
        ("y = p + 1.", (P + 1).to_bytes(32, "little")),
        ("y = 2^255 - 1.", (2**255 - 1).to_bytes(32, "little")),
        ("y = p + 1 with the sign bit.", (P + 1 | 1 << 255).to_bytes(32, "little")),
        ("y = 2, which is on no point.", (2).to_bytes(32, "little")),
    ]


SMALL_ORDER = tuple(_small_order())
