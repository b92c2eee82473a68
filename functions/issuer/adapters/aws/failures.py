"""Failures of requests to DynamoDB: whether one may have been carried out, and is worth trying again."""

from collections.abc import Mapping, Sequence

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnectionError
from botocore.parsers import ResponseParserError

from issuer.adapters.aws.tries import first_line
from issuer.errors import StoreError

# What leaves it open whether the request was carried out, beside answers with a code.
_NO_ANSWER = (HTTPClientError, NoConnectionError, ResponseParserError)
FAILURES = (BotoCoreError, ClientError, ResponseParserError)

_CHANGED = frozenset({"ConditionalCheckFailed", "TransactionConflict"})
_AGAIN = frozenset(
    {
        "InternalServerError",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ThrottlingException",
        "TransactionInProgressException",
    }
)
_THROTTLED = frozenset({"ProvisionedThroughputExceeded", "ThrottlingError"})


class ChangedError(Exception):
    """An item that a write names has changed since it was read. Nothing was written."""


def is_worth_trying(error: Exception, what: str) -> bool:
    """Whether it is unclear what was done, and worth trying again; False: a condition failed.

    Raises `StoreError` for what no try mends: no such table, no permission, a request that is wrong.
    """
    if isinstance(error, _NO_ANSWER):
        return True
    if not isinstance(error, ClientError):
        raise StoreError(f"{what}: {first_line(error)}") from error
    code = error.response["Error"]["Code"]
    if code == "ConditionalCheckFailedException":
        return False
    if code == "TransactionCanceledException":
        reasons = _reasons(error)
        if reasons & _CHANGED:
            return False
        if reasons & _THROTTLED:
            return True
    if code in _AGAIN or error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500:
        return True
    raise StoreError(f"{what}: {first_line(error)}") from error


def _reasons(error: ClientError) -> frozenset[str]:
    reasons: Sequence[Mapping[str, str]] = error.response.get("CancellationReasons", [])  # type: ignore[assignment]
    return frozenset(reason.get("Code", "None") for reason in reasons)
