"""Signing keys in files: one file, one seed, for one role at one origin.

    attestlayer-key/1
    role: registry
    origin: registry.example.org
    kid: <RFC 7638 thumbprint of the public key>
    seed: <32 bytes, base64url without padding>

No message shows a line of the file: in a damaged file any line may be the seed. `kid` is redundant on
purpose: a seed with a flipped bit is a valid key, but not the one that the notices name.
"""

import os
import stat
import tempfile
from enum import StrEnum
from pathlib import Path

from attestlayer.encoding import format_base64url, parse_base64url, parse_origin, shown
from attestlayer.keys import KEY_LENGTH, PrivateKey, PublicKey
from issuer.adapters.system import name_new, storing, sync_folder
from issuer.errors import Code, ServiceError
from issuer.ports import Entropy

_HEADER = "attestlayer-key/1"
_NAMES = ("role", "origin", "kid", "seed")
_LENGTH_MAX = 1024  # bytes; a file with the longest origin has 417


class KeyRole(StrEnum):
    """What a key signs: checkpoints and their notes, or receipts (REG-1.0 section 9.4)."""

    REGISTRY = "registry"
    ISSUER = "issuer"


class LocalKey:
    """A `Signer` from the key file at `path`, which must be for `role` and `origin`.

    Raises `ServiceError` (KEY_UNUSABLE) if the file is missing, may be read by others, is damaged or
    is for another role or origin.
    """

    def __init__(self, path: Path, role: KeyRole, origin: str) -> None:
        fields = _parse(path, _read(path))
        for name, wanted in (("role", role.value), ("origin", origin)):
            if fields[name] != wanted:
                raise _unusable(path, f"its {name} is {shown(fields[name])}, wanted {shown(wanted)}")
        self._key = PrivateKey(parse_base64url(fields["seed"], KEY_LENGTH))

    @property
    def public(self) -> PublicKey:
        """The public key, derived from the seed."""
        return self._key.public

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature over `message` (RFC 8032 section 5.1, pure Ed25519)."""
        return self._key.sign(message)


def create_key(path: Path, role: KeyRole, origin: str, entropy: Entropy) -> LocalKey:
    """Make a key and, durably, its file (0600). Raises ALREADY_EXISTS rather than replace a file.

    The file gets its name only when it is complete and synced. A crash before that leaves `.<name>.…`, which
    nothing reads and which may be removed.
    """
    text = _format(role, parse_origin(origin), PrivateKey(entropy.token(KEY_LENGTH)))
    with storing("create key file", str(path)):
        descriptor, unfinished = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            _write(descriptor, text)
            name_new(Path(unfinished), path)
        except FileExistsError:
            raise ServiceError(Code.ALREADY_EXISTS, f"key file {path} is there; it is not replaced") from None
        finally:
            Path(unfinished).unlink(missing_ok=True)
        # Before anything is signed: a log whose key file is lost in a crash could not go on.
        sync_folder(path.parent)
    # Read back: the key that counts is the one in the file.
    return LocalKey(path, role, origin)


def _format(role: str, origin: str, key: PrivateKey) -> bytes:
    values = (role, origin, key.public.kid, format_base64url(key.seed))
    lines = (f"{name}: {value}\n" for name, value in zip(_NAMES, values, strict=True))
    return f"{_HEADER}\n{''.join(lines)}".encode("ascii")


def _write(descriptor: int, data: bytes) -> None:
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, 0o600)  # before the seed is in it
        file.write(data)
        file.flush()
        os.fsync(descriptor)


def _read(path: Path) -> bytes:
    """The file's bytes. Raises KEY_UNUSABLE if it can't be read or if others may read it."""
    try:
        # O_NONBLOCK: a pipe in the file's place must not make us wait.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            # Of the open file: another one could take over the path between a look at it and the read.
            status = os.fstat(file.fileno())
            data = file.read(_LENGTH_MAX + 1)
    except OSError as error:
        raise _unusable(path, error.strerror or str(error)) from error
    if not stat.S_ISREG(status.st_mode):
        raise _unusable(path, "it is not a file")
    mode = stat.S_IMODE(status.st_mode)
    if mode & 0o077:
        raise _unusable(path, f"its mode is {mode:04o}, wanted 0600: others may have read it")
    return data


def _parse(path: Path, data: bytes) -> dict[str, str]:
    """The fields of a key file in its one spelling. Raises KEY_UNUSABLE without showing its content."""
    # Latin-1 decodes any bytes, so a damaged file fails below and not here with its content in the error.
    lines = data.decode("latin-1").split("\n")
    if len(data) > _LENGTH_MAX or lines[0] != _HEADER:
        raise _unusable(path, f"it does not begin with the line {_HEADER}")
    if len(lines) != len(_NAMES) + 2 or lines[-1]:
        raise _unusable(path, f"it is damaged: wanted the lines {', '.join(_NAMES)} after the first")
    fields = {}
    for name, line in zip(_NAMES, lines[1:], strict=False):
        if not line.startswith(f"{name}: "):
            raise _unusable(path, f"it is damaged: wanted a line that begins with {name}:")
        fields[name] = line.removeprefix(f"{name}: ")
    _check(path, fields)
    return fields


def _check(path: Path, fields: dict[str, str]) -> None:
    seed = _seed(fields["seed"])
    if seed is None:
        raise _unusable(path, f"it is damaged: the seed is not {KEY_LENGTH} bytes in unpadded base64url")
    kid = PrivateKey(seed).public.kid
    if fields["kid"] != kid:
        raise _unusable(path, f"it is damaged: kid is not {kid}, which belongs to the seed")
    if fields["role"] not in set(KeyRole):
        raise _unusable(path, f"it is damaged: role is none of {', '.join(KeyRole)}")
    try:
        parse_origin(fields["origin"])
    except ValueError:
        raise _unusable(path, "it is damaged: origin is not an origin") from None


def _seed(text: str) -> bytes | None:
    # The error of `parse_base64url` shows the text: it ends here and becomes no other error's context.
    try:
        return parse_base64url(text, KEY_LENGTH)
    except ValueError:
        return None


def _unusable(path: Path, why: str) -> ServiceError:
    return ServiceError(Code.KEY_UNUSABLE, f"key file {path}: {why}")
