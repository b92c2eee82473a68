"""Uploads and downloads through the local server: addresses signed with a secret of the home."""

import hashlib
import hmac
import re
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from attestlayer.encoding import format_hash, format_time, parse_decimal, parse_hash, shown
from issuer.errors import Code, ServiceError
from issuer.ports import Clock, UploadForm

UPLOAD_PATH = "/uploads"
DOWNLOAD_PATH = "/downloads/"

_FIELDS = ("key", "content-length", "x-amz-checksum-sha256", "expires", "signature")
_NAME = re.compile(r"[A-Za-z0-9_./-]{1,200}")


@dataclass(frozen=True, slots=True)
class Upload:
    """What a signed form allows: `size` bytes with this SHA-256 as object `name`."""

    name: str
    size: int
    sha256: bytes


@dataclass(frozen=True)
class LocalTransfers:
    """Keeps `issuer.ports.Transfers`' promise; `base_url` is where the local server listens."""

    secret: bytes
    base_url: str
    clock: Clock

    def upload_form(self, name: str, size: int, sha256: bytes, expires_at: int) -> UploadForm:
        """A form for the local server's upload address."""
        fields = {
            "key": name,
            "content-length": str(size),
            "x-amz-checksum-sha256": format_hash(sha256),
            "expires": str(expires_at),
        }
        fields["signature"] = self._sign("upload", *fields.values())
        return UploadForm(self.base_url + UPLOAD_PATH, fields, expires_at)

    def download_url(self, name: str, filename: str, expires_at: int) -> str:
        """An address below the local server's downloads."""
        query = {"as": filename, "expires": str(expires_at)}
        query["signature"] = self._sign("download", name, filename, str(expires_at))
        return f"{self.base_url}{DOWNLOAD_PATH}{quote(name)}?{urlencode(query)}"

    def check_upload(self, fields: dict[str, str]) -> Upload:
        """What a form's fields allow. Raises `ServiceError` (LINK_…, MALFORMED_REQUEST)."""
        if fields.keys() != set(_FIELDS):
            found = ", ".join(map(shown, fields)) or "none"
            raise ServiceError(
                Code.MALFORMED_REQUEST, f"found fields {found}, wanted {', '.join(_FIELDS)}, then file"
            )
        values = [fields[name] for name in _FIELDS[:-1]]
        self._check(fields["signature"], fields["expires"], "upload", *values)
        return Upload(values[0], parse_decimal(values[1]), parse_hash(values[2]))

    def check_download(self, name: str, query: dict[str, str]) -> str:
        """The file name to answer `name` with. Raises `ServiceError` (LINK_…, MALFORMED_REQUEST)."""
        if query.keys() != {"as", "expires", "signature"} or not _NAME.fullmatch(name):
            raise ServiceError(
                Code.MALFORMED_REQUEST, "wanted parameters as, expires and signature, as given"
            )
        self._check(query["signature"], query["expires"], "download", name, query["as"], query["expires"])
        return query["as"]

    def _check(self, signature: str, expires: str, *signed: str) -> None:
        if not hmac.compare_digest(signature.encode(), self._sign(*signed).encode()):
            raise ServiceError(
                Code.LINK_REFUSED, "its signature is not of what it says; use it as it was given"
            )
        expires_at = parse_decimal(expires)
        if self.clock.now() >= expires_at:
            raise ServiceError(
                Code.LINK_EXPIRED, f"the address expired at {format_time(expires_at)}; ask for a new one"
            )

    def _sign(self, *parts: str) -> str:
        return hmac.new(self.secret, "\n".join(parts).encode(), hashlib.sha256).hexdigest()
