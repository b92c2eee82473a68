"""The time by the store's clock.

IAM action, on the bucket: s3:ListBucket.
"""

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from issuer.adapters.aws.tries import first_line
from issuer.errors import StoreError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


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
