"""The system's random bytes."""

import secrets


class SystemEntropy:
    """An `Entropy` from the operating system (getrandom)."""

    def token(self, length: int) -> bytes:
        """`length` random bytes, 1 or more."""
        if length < 1:
            raise ValueError(f"{length} random bytes were asked for, wanted 1 or more")
        return secrets.token_bytes(length)
