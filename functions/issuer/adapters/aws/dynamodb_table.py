"""One DynamoDB table of revised items: strongly consistent reads, and writes that name what they read.

Every item has a revision, a random token that each write of it makes anew. A write is refused unless the item
still has the revision that was read (or is still absent), so one condition serves for all, and a write whose
answer was lost is recognised by its revision.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnectionError
from botocore.parsers import ResponseParserError

from issuer.adapters.aws.dynamodb_items import (
    REVISION,
    Item,
    Key,
    Write,
    format_item,
    format_key,
    is_part,
    joined,
    parse_item,
)
from issuer.adapters.aws.tries import Tries, first_line
from issuer.errors import Code, ServiceError, StoreError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

T = TypeVar("T")

# Limits of DynamoDB: a transaction has 100 items and 4 MB, a batch of reads 100 keys.
_TRANSACTION_ITEMS = 100
_TRANSACTION_LENGTH = 3_900_000
_BATCH = 100

_TRIES = 6
_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 1.0

# What leaves it open whether the request was carried out, beside answers with a code.
_NO_ANSWER = (HTTPClientError, NoConnectionError, ResponseParserError)
_FAILURES = (BotoCoreError, ClientError, ResponseParserError)

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


@dataclass(frozen=True, slots=True)
class Span:
    """Items of one partition with sort keys from `low` to `high`, both included."""

    pk: str
    low: str
    high: str
    reverse: bool = False


class ChangedError(Exception):
    """Something that a write names was changed since it was read. Nothing was written."""


class Table:
    """The table `name`: partition key `pk`, sort key `sk`, both strings. No index: indexes lag behind.

    The client must not retry by itself: whether a try that failed was done is found out here.
    """

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        self._client = client
        self._name = name

    def get(self, key: Key) -> Item | None:
        """The item, or None."""
        return self.get_many([key]).get(key)

    def get_many(self, keys: Iterable[Key]) -> dict[Key, Item]:
        """Those that are there, each as it is now, or was not before the call."""
        wanted = [key for key in dict.fromkeys(keys) if key.fits()]
        for _ in (tries := Tries(f"read from {self._name}", count=_TRIES, first_s=0.01, most_s=0.2)):
            found = self._get_raw(wanted)
            items = {key: parse_item(raw) for key, raw in found.items()}
            parts = self._get_raw([part for item in items.values() for part in item.part_keys()])
            try:
                return {key: joined(item, parts) for key, item in items.items()}
            except KeyError as error:  # a part went with its revision, between the two reads
                tries.failed(StoreError(f"part {error} of an item is missing"))
        raise AssertionError("the last try raises")

    def query(self, span: Span, limit: int | None = None) -> Iterator[Item]:
        """Items in order of their sort keys, at most `limit`."""
        start: dict[str, Any] = {}
        left = limit
        while left is None or left > 0:
            page = self._asked(
                f"read {span.pk}",
                lambda start=start, left=left: self._client.query(  # type: ignore[misc]
                    TableName=self._name,
                    KeyConditionExpression="pk = :pk AND sk BETWEEN :low AND :high",
                    ExpressionAttributeValues={
                        ":pk": {"S": span.pk},
                        ":low": {"S": span.low},
                        ":high": {"S": span.high},
                    },
                    ConsistentRead=True,
                    ScanIndexForward=not span.reverse,
                    **({"Limit": left} if left is not None else {}),
                    **start,
                ),
            )
            items = [parse_item(raw) for raw in page["Items"]]
            yield from self._whole(items)
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
            left = None if left is None else left - len(items)

    def scan(self) -> Iterator[Item]:
        """All items, in no order, parts of bodies left out. Reads the whole table."""
        start: dict[str, Any] = {}
        while True:
            page = self._asked(
                "read the table",
                lambda start=start: self._client.scan(  # type: ignore[misc]
                    TableName=self._name, ConsistentRead=True, **start
                ),
            )
            yield from self._whole([item for item in map(parse_item, page["Items"]) if not is_part(item.key)])
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def mark(self, key: Key, name: str) -> None:
        """Set attribute `name` to 1 if the item is there. It is no change that a write would notice."""
        try:
            self._asked(
                f"mark {key.pk}",
                lambda: self._client.update_item(
                    TableName=self._name,
                    Key=format_key(key),
                    UpdateExpression="SET #name = :one",
                    ConditionExpression="attribute_exists(pk)",
                    ExpressionAttributeNames={"#name": name},
                    ExpressionAttributeValues={":one": {"N": "1"}},
                ),
            )
        except ChangedError:
            return

    def commit(self, writes: Sequence[Write], revision: str) -> None:
        """Carry all writes out, or none: as one transaction, or a single conditional write.

        Every item in `writes` has `revision`. Raises `ChangedError`; TOO_LARGE beyond DynamoDB's limits.
        A lost answer is settled: by the request token, which makes the same transaction happen once within
        10 minutes, and by the revision that is there.
        """
        _check_size(writes)
        send = self._one(writes[0]) if len(writes) == 1 else self._transaction(writes, revision)
        unclear = False
        for _ in (tries := Tries(f"write to {self._name}", count=_TRIES, first_s=0.05, most_s=1.0)):
            try:
                send()
                return
            except _FAILURES as error:
                again = _check_worth(error, self._name)
                tries.failed(error)
                if again:
                    unclear = True
                elif not (unclear and self._has(writes, revision)):
                    raise ChangedError(first_line(error)) from error
                else:
                    return

    def _one(self, write: Write) -> Callable[[], object]:
        arguments = {"TableName": self._name, **_condition(write)}
        if write.item is None:
            return lambda: self._client.delete_item(Key=format_key(write.key), **arguments)
        item = format_item(write.key, write.item)
        return lambda: self._client.put_item(Item=item, **arguments)

    def _transaction(self, writes: Sequence[Write], revision: str) -> Callable[[], object]:
        items: list[Any] = []
        for write in writes:
            arguments = {"TableName": self._name, **_condition(write)}
            if write.item is None:
                items.append({"Delete": {"Key": format_key(write.key), **arguments}})
            else:
                items.append({"Put": {"Item": format_item(write.key, write.item), **arguments}})
        return lambda: self._client.transact_write_items(TransactItems=items, ClientRequestToken=revision)

    def _has(self, writes: Sequence[Write], revision: str) -> bool:
        """Whether what an unclear try wrote is there: then the retry failed on its own work."""
        for write in writes:
            found = self.get(write.key)
            if write.item is not None:
                return found is not None and found.revision == revision
        return all(self.get(write.key) is None for write in writes)

    def _get_raw(self, keys: Sequence[Key]) -> dict[Key, Mapping[str, Any]]:
        found: dict[Key, Mapping[str, Any]] = {}
        for at in range(0, len(keys), _BATCH):
            wanted = [format_key(key) for key in keys[at : at + _BATCH]]
            for _ in (tries := self._tries("read from")):
                answer = self._asked(
                    f"read from {self._name}",
                    lambda wanted=wanted: self._client.batch_get_item(  # type: ignore[misc]
                        RequestItems={self._name: {"Keys": wanted, "ConsistentRead": True}}
                    ),
                )
                for raw in answer["Responses"].get(self._name, []):
                    found[Key(raw["pk"]["S"], raw["sk"]["S"])] = raw
                left = answer["UnprocessedKeys"].get(self._name)
                if not left:
                    break
                wanted = list(left["Keys"])
                tries.failed(StoreError(f"{len(wanted)} keys were left unread"))
        return found

    def _whole(self, items: Sequence[Item]) -> Iterator[Item]:
        """The items with their bodies. What was changed since is read again, what is gone left out."""
        cut = [item.key for item in items if item.parts]
        whole = self.get_many(cut) if cut else {}
        for item in items:
            if not item.parts:
                yield item
            elif item.key in whole:
                yield whole[item.key]

    def _asked(self, what: str, ask: Callable[[], T]) -> T:
        """The answer of a call that may be repeated. Raises `ChangedError` if its condition failed."""
        for _ in (tries := self._tries(what)):
            try:
                return ask()
            except _FAILURES as error:
                if not _check_worth(error, what):
                    raise ChangedError(first_line(error)) from error
                tries.failed(error)
        raise AssertionError("the last try raises")

    def _tries(self, what: str) -> Tries:
        return Tries(f"{what} {self._name}", count=_TRIES, first_s=_FIRST_PAUSE_S, most_s=_LONGEST_PAUSE_S)


def _condition(write: Write) -> dict[str, Any]:
    if write.expected is None:
        return {"ConditionExpression": "attribute_not_exists(pk)"}
    return {
        "ConditionExpression": f"{REVISION} = :expected",
        "ExpressionAttributeValues": {":expected": {"S": write.expected}},
    }


def _check_size(writes: Sequence[Write]) -> None:
    length = sum(
        len(value) for write in writes for value in (write.item or {}).values() if isinstance(value, bytes)
    )
    if len(writes) > _TRANSACTION_ITEMS or length > _TRANSACTION_LENGTH:
        raise ServiceError(
            Code.TOO_LARGE,
            f"{length} bytes in {len(writes)} items are to change at once, the ledger takes "
            f"{_TRANSACTION_LENGTH} in {_TRANSACTION_ITEMS}",
        )


def _check_worth(error: Exception, what: str) -> bool:
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
