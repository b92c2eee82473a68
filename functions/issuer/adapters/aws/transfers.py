"""Uploads and downloads at presigned addresses of the private bucket.

The upload is a POST whose policy fixes the name, the exact length and the SHA-256: S3 checks the bytes
against the signed checksum before it stores them. They are hashed again when they are read: the store is
not believed. An address is signed with the credentials at hand, and ends with them if they end sooner.

IAM actions, on objects below `records/`: s3:PutObject; below `kits/`: s3:GetObject. Who signs an address
lends its own right, so the role of the function needs them.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from attestlayer.encoding import format_base64
from issuer.ports import Clock, UploadForm

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_CHECKSUM = "x-amz-checksum-sha256"
_ALGORITHM = "x-amz-checksum-algorithm"


@dataclass(frozen=True)
class S3Transfers:
    """Keeps `issuer.ports.Transfers`' promise for `bucket`. Signing makes no request."""

    client: "S3Client"
    bucket: str
    clock: Clock

    def upload_form(self, name: str, size: int, sha256: bytes, expires_at: int) -> UploadForm:
        """A presigned POST: its fields, then `file`."""
        fixed = {_ALGORITHM: "SHA256", _CHECKSUM: format_base64(sha256)}
        post = self.client.generate_presigned_post(
            self.bucket,
            name,
            Fields=dict(fixed),
            Conditions=[["content-length-range", size, size], *({key: fixed[key]} for key in fixed)],
            ExpiresIn=self._left(expires_at),
        )
        return UploadForm(post["url"], post["fields"], expires_at)

    def download_url(self, name: str, filename: str, expires_at: int) -> str:
        """A presigned GET that answers with the file's name and type, and is not to be cached."""
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
        return max(1, expires_at - int(self.clock.now()))


def _disposition(filename: str) -> str:
    """RFC 6266: any name, as UTF-8 in percent-encoding."""
    return f"attachment; filename*=UTF-8''{quote(filename, safe='')}"
