"""A cryptographic library without Ed25519, as `cryptography` is where its OpenSSL is in FIPS mode."""

from typing import NoReturn

import pytest
from cryptography.exceptions import UnsupportedAlgorithm

LIBRARY = "cryptography.hazmat.primitives.asymmetric.ed25519"


class _Refused:
    @staticmethod
    def _refuse(*_: object) -> NoReturn:
        raise UnsupportedAlgorithm("ed25519 is not supported by this version of OpenSSL.")

    from_public_bytes = from_private_bytes = _refuse


def refuse_ed25519(patch: pytest.MonkeyPatch) -> None:
    """Take Ed25519 from the library, for the installed command and for what imports it later."""
    for name in ("Ed25519PublicKey", "Ed25519PrivateKey"):
        patch.setattr(f"attestlayer.ed25519.{name}", _Refused)
        patch.setattr(f"{LIBRARY}.{name}", _Refused)
