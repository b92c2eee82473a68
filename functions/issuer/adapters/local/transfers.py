"""Uploads and downloads through the local server, at addresses signed with the home's secret."""

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
    """The upload that a signed form allows: exactly `size` bytes with this SHA-256, as object `name`."""

    name: str
    size: int
    sha256: bytes


@dataclass(frozen=True)
class LocalTransfers:
    """`issuer.ports.Transfers` over the local server, which listens at `base_url`. Does no I/O."""

    secret: bytes
    base_url: str
    clock: Clock

    def upload_form(self, name: str, size: int, sha256: bytes, expires_at: int) -> UploadForm:
        """A form for the local server, with the field names that S3 has, so that clients are the same."""
        fields = {
            "key": name,
            "content-length": str(size),
            "x-amz-checksum-sha256": format_hash(sha256),
            "expires": str(expires_at),
        }
        fields["signature"] = self._sign("upload", *fields.values())
        return UploadForm(self.base_url + UPLOAD_PATH, fields, expires_at)

    def download_url(self, name: str, filename: str, expires_at: int) -> str:
        """An address of the local server. `filename` is signed too: it becomes a header of the answer."""
        query = {"as": filename, "expires": str(expires_at)}
        query["signature"] = self._sign("download", name, filename, str(expires_at))
        return f"{self.base_url}{DOWNLOAD_PATH}{quote(name)}?{urlencode(query)}"

    def check_upload(self, fields: dict[str, str]) -> Upload:
        """The upload that a form's fields allow. Raises `ServiceError` (LINK_…, MALFORMED_REQUEST)."""
        if fields.keys() != set(_FIELDS):
            found = ", ".join(map(shown, fields)) or "none"
            raise ServiceError(
                Code.MALFORMED_REQUEST, f"found fields {found}, wanted {', '.join(_FIELDS)}, then file"
            )
        # Parsed only after the signature was checked: they are then values that this program formatted.
        values = [fields[name] for name in _FIELDS[:-1]]
        self._check(fields["signature"], fields["expires"], "upload", *values)
        return Upload(values[0], parse_decimal(values[1]), parse_hash(values[2]))

    def check_download(self, name: str, query: dict[str, str]) -> str:
        """The file name under which to send object `name`.

        Raises `ServiceError` (LINK_…, MALFORMED_REQUEST).
        """
        if query.keys() != {"as", "expires", "signature"} or not _NAME.fullmatch(name):
            raise ServiceError(
                Code.MALFORMED_REQUEST, "wanted parameters as, expires and signature, as given"
            )
        self._check(query["signature"], query["expires"], "download", name, query["as"], query["expires"])
        return query["as"]

    def _check(self, signature: str, expires: str, *signed: str) -> None:
        # The signature before the expiry time, which is worth nothing unsigned. `compare_digest` takes the
        # same time wherever two signatures differ, so none can be guessed byte by byte.
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
        # The first part is the purpose, so that a download's signature is worth nothing in an upload form. No
        # part that this program signs has a line break, so none can be read as two.
        return hmac.new(self.secret, "\n".join(parts).encode(), hashlib.sha256).hexdigest()
