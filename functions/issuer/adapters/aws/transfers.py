"""Uploads and downloads at presigned addresses of the private bucket; the time by the store's clock.

An upload is a POST whose policy fixes the name, the exact length and the SHA-256: S3 compares the bytes with
the signed checksum before it stores them. They are hashed again when they are read, since the store is not
trusted. An address is signed with the credentials at hand and expires with them if they expire sooner.

IAM actions, on objects below `records/`: s3:PutObject; below `kits/`: s3:GetObject. An address carries the
rights of its signer, so the function's own role needs them. The clock, on the bucket: s3:ListBucket.
"""

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from botocore.exceptions import BotoCoreError, ClientError

from attestlayer.encoding import format_base64
from issuer.adapters.aws.tries import first_line
from issuer.errors import StoreError
from issuer.ports import Clock, UploadForm

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_CHECKSUM = "x-amz-checksum-sha256"
_ALGORITHM = "x-amz-checksum-algorithm"


@dataclass(frozen=True)
class S3Transfers:
    """`issuer.ports.Transfers` for `bucket`. Signing makes no request."""

    client: "S3Client"
    bucket: str
    clock: Clock

    def upload_form(self, name: str, size: int, sha256: bytes, expires_at: int) -> UploadForm:
        """A presigned POST form: the signed fields, then the file in field `file`."""
        fixed = {_ALGORITHM: "SHA256", _CHECKSUM: format_base64(sha256)}
        post = self.client.generate_presigned_post(
            self.bucket,
            name,
            Fields=dict(fixed),
            # Equal bounds fix the length; S3 refuses a form field without a condition.
            Conditions=[["content-length-range", size, size], *({key: fixed[key]} for key in fixed)],
            ExpiresIn=self._left(expires_at),
        )
        return UploadForm(post["url"], post["fields"], expires_at)

    def download_url(self, name: str, filename: str, expires_at: int) -> str:
        """A presigned GET. The answer has the file's name and type and must not be cached."""
        kind = "application/zip" if filename.endswith(".zip") else "application/octet-stream"
        return self.client.generate_presigned_url(
            "get_object",
            Params={
                "Bucket": self.bucket,
                "Key": name,
                "ResponseContentDisposition": _disposition(filename),
                "ResponseContentType": kind,
                "ResponseCacheControl": "private, no-store",
            },
            ExpiresIn=self._left(expires_at),
        )

    def _left(self, expires_at: int) -> int:
        """Seconds until then, at least 1: boto3 counts from its own clock and takes no time that is past."""
        return max(1, expires_at - int(self.clock.now()))


def _disposition(filename: str) -> str:
    """The Content-Disposition of a download (RFC 6266): any name, as percent-encoded UTF-8 (RFC 8187)."""
    return f"attachment; filename*=UTF-8''{quote(filename, safe='')}"


@dataclass(frozen=True)
class S3Clock:
    """Reads the `Date` header of S3's answers (RFC 9110 section 6.6.1): whole seconds, one request a call."""

    client: "S3Client"
    bucket: str

    def now(self) -> int:
        """POSIX seconds, rounded down. Raises `StoreError`."""
        try:
            answer = self.client.head_bucket(Bucket=self.bucket)
            date = answer["ResponseMetadata"]["HTTPHeaders"]["date"]
            return int(parsedate_to_datetime(date).timestamp())
        except (BotoCoreError, ClientError, KeyError, ValueError) as error:
            raise StoreError(f"the store's time is not known: {first_line(error)}") from error
