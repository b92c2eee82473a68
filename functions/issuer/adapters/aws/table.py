"""A `Table` in one DynamoDB table, strongly consistent, for any number of threads and processes anywhere.

Every item has a revision, a random token that each write changes. A write is refused unless the item still
has the revision that was read (or is still absent), so one condition serves for all, and a write whose answer
was lost is recognised by its revision. A transaction whose items have changed begins again: the guarantee of
an exclusive lock without one.

IAM actions, on the table alone (it has no index): dynamodb:BatchGetItem, Query, PutItem, DeleteItem; for
`mark` also UpdateItem, for `scan` also Scan. A transaction needs the actions of its writes (PutItem,
DeleteItem).
"""

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from issuer.adapters.aws.failures import FAILURES, ChangedError, is_worth_trying
from issuer.adapters.aws.items import (
    MARKED,
    REVISION,
    Stored,
    format_items,
    format_key,
    is_part,
    length_of,
    parse_stored,
)
from issuer.adapters.aws.tries import Tries, first_line
from issuer.errors import Code, ServiceError, StoreError
from issuer.ports import Item, Key, Reader, Span, Writes

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

T = TypeVar("T")

# Limits of DynamoDB: a transaction has 100 items and 4 MB, a batch of reads 100 keys.
_TRANSACTION_ITEMS = 100
_TRANSACTION_LENGTH = 3_900_000
_BATCH = 100

_TRANSACTIONS = 60
"""Times that a transaction begins again after others changed its items: some 20 s, for 50 at once."""
_MARKERS = 16  # threads; a round marks up to 4,096 leaves
_TRIES = 6
_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 1.0

_Write = tuple[Key, dict[str, Any] | None, str | None]
"""Store an item as on the wire (None: delete it), if it has this revision (None: if it is not there)."""


class DynamoTable:
    """The table `name`: partition key `pk`, sort key `sk`, both strings. No index: indexes lag behind.

    The client must try each request once (`total_max_attempts` 1): whether a try that failed was carried out
    is found out here.
    """

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        self._client = client
        self._name = name

    def get_many(self, keys: Iterable[Key]) -> dict[Key, Item]:
        """One request for up to 100 items."""
        return {key: item for key, (_, item) in self._get_stored(keys).items()}

    def query(self, span: Span, limit: int | None = None) -> Iterator[Item]:
        """A page of up to 1 MB a request."""
        start: Mapping[str, Any] | None = {}
        left = limit
        while start is not None and (left is None or left > 0):
            items, start = self._page(span, start, left)
            yield from self._whole(items)
            left = None if left is None else left - len(items)

    def gather(self, spans: Sequence[Span]) -> Iterator[Item]:
        """The spans are read at once, a page of each at a time."""
        with ThreadPoolExecutor(max(1, len(spans))) as pool:
            pages = {pool.submit(self._page, span, {}, None): span for span in spans}
            while pages:
                done, _ = wait(pages, return_when=FIRST_COMPLETED)
                for page in done:
                    span = pages.pop(page)
                    items, start = page.result()
                    if start is not None:
                        pages[pool.submit(self._page, span, start, None)] = span
                    yield from self._whole(items)

    def scan(self) -> Iterator[Item]:
        """A page of up to 1 MB a request."""
        start: Mapping[str, Any] = {}
        while True:
            page = self._ask(
                "scan",
                lambda start=start: self._client.scan(  # type: ignore[misc]
                    TableName=self._name, ConsistentRead=True, **start
                ),
            )
            found = map(parse_stored, page["Items"])
            yield from self._whole([stored for stored in found if not is_part(stored.key)])
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def mark(self, keys: Iterable[Key]) -> None:
        """One write an item, several at once."""
        with ThreadPoolExecutor(_MARKERS) as pool:
            for _ in pool.map(self._mark, keys):
                pass

    def transact(self, act: Callable[[Reader], tuple[T, Writes]]) -> T:
        """Up to 100 items and 4 MB. A single write is no transaction, which costs half as much."""
        for _ in (tries := Tries("a transaction", count=_TRANSACTIONS, first_s=0.02, most_s=0.5)):
            reader = _Reading(self._get_stored)
            result, writes = act(reader)
            try:
                self._commit(writes, reader.stored)
            except ChangedError as error:
                tries.failed(error)
            else:
                return result
        raise AssertionError("the last try raises")

    def purge(self) -> None:
        """Nothing to do: a deleted item is gone from the table. Point-in-time backups hold it for 35 days."""

    def damage(self) -> Iterator[str]:
        """Nothing: DynamoDB's disks are its own."""
        return iter(())

    def _commit(self, writes: Writes, stored: Mapping[Key, Stored]) -> None:
        """Carry all writes out, or none: as one transaction, or a single conditional write.

        Raises `ChangedError`; TOO_LARGE beyond DynamoDB's limits. A lost answer is settled by the request
        token, with which a transaction happens once within 10 minutes, and by the revision in the table.
        """
        revision = secrets.token_hex(16)
        changes = [change for key, body in writes.items() for change in _changes(key, body, stored, revision)]
        if not changes:
            return
        _check_size(changes)
        send = self._one(changes[0]) if len(changes) == 1 else self._transaction(changes, revision)
        unclear = False
        for _ in (tries := self._tries("write to")):
            try:
                send()
                return
            except FAILURES as error:
                again = is_worth_trying(error, self._name)
                tries.failed(error)
                if again:
                    unclear = True
                elif not (unclear and self._has(changes, revision)):
                    raise ChangedError(first_line(error)) from error
                else:
                    return

    def _one(self, change: _Write) -> Callable[[], object]:
        key, item, _ = change
        arguments = {"TableName": self._name, **_condition(change)}
        if item is None:
            return lambda: self._client.delete_item(Key=format_key(key), **arguments)
        return lambda: self._client.put_item(Item=item, **arguments)

    def _transaction(self, changes: Sequence[_Write], revision: str) -> Callable[[], object]:
        items: list[Any] = []
        for change in changes:
            key, item, _ = change
            arguments = {"TableName": self._name, **_condition(change)}
            if item is None:
                items.append({"Delete": {"Key": format_key(key), **arguments}})
            else:
                items.append({"Put": {"Item": item, **arguments}})
        return lambda: self._client.transact_write_items(TransactItems=items, ClientRequestToken=revision)

    def _has(self, changes: Sequence[_Write], revision: str) -> bool:
        """Whether what an unclear try wrote is there: then the retry failed on its own work."""
        for key, item, _ in changes:
            if item is not None:
                raw = self._get_raw([key]).get(key)
                return raw is not None and parse_stored(raw).revision == revision
        return not self._get_raw([key for key, _, _ in changes])

    def _mark(self, key: Key) -> None:
        with suppress(ChangedError):  # there is no such item
            self._ask(
                f"mark {key.pk} in",
                lambda: self._client.update_item(
                    TableName=self._name,
                    Key=format_key(key),
                    UpdateExpression="SET #marked = :one",
                    ConditionExpression="attribute_exists(pk)",
                    ExpressionAttributeNames={"#marked": MARKED},
                    ExpressionAttributeValues={":one": {"N": "1"}},
                ),
            )

    def _page(
        self, span: Span, start: Mapping[str, Any], limit: int | None
    ) -> tuple[list[Stored], Mapping[str, Any] | None]:
        """A page of a span, and where the next one starts, None after the last one."""
        more = dict(start) if limit is None else {**start, "Limit": limit}
        page = self._ask(
            f"read {span.pk} of",
            lambda: self._client.query(
                TableName=self._name,
                KeyConditionExpression="pk = :pk AND sk BETWEEN :low AND :high",
                ExpressionAttributeValues={
                    ":pk": {"S": span.pk},
                    ":low": {"S": span.low},
                    ":high": {"S": span.high},
                },
                ConsistentRead=True,
                ScanIndexForward=not span.reverse,
                **more,
            ),
        )
        last = page.get("LastEvaluatedKey")
        return [parse_stored(raw) for raw in page["Items"]], {"ExclusiveStartKey": last} if last else None

    def _get_stored(self, keys: Iterable[Key]) -> dict[Key, tuple[Stored, Item]]:
        """Items as stored and whole, each as it is now, or was not before the call."""
        wanted = list(dict.fromkeys(keys))
        for _ in (tries := Tries(f"read from {self._name}", count=_TRIES, first_s=0.01, most_s=0.2)):
            stored = [parse_stored(raw) for raw in self._get_raw(wanted).values()]
            parts = self._get_raw([part for each in stored for part in each.part_keys()])
            try:
                return {each.key: (each, each.item(parts)) for each in stored}
            except KeyError as error:  # a part went with its revision, between the two reads
                tries.failed(StoreError(f"part {error} of an item is missing"))
        raise AssertionError("the last try raises")

    def _get_raw(self, keys: Sequence[Key]) -> dict[Key, Mapping[str, Any]]:
        found: dict[Key, Mapping[str, Any]] = {}
        for at in range(0, len(keys), _BATCH):
            wanted = [format_key(key) for key in keys[at : at + _BATCH]]
            for _ in (tries := self._tries("read from")):
                answer = self._ask(
                    "read from",
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

    def _whole(self, stored: Sequence[Stored]) -> Iterator[Item]:
        """The items with their bodies. One in parts is read again, and left out if it is gone by now."""
        cut = [each.key for each in stored if each.parts]
        whole = self.get_many(cut) if cut else {}
        for each in stored:
            if not each.parts:
                yield each.item({})
            elif each.key in whole:
                yield whole[each.key]

    def _ask(self, what: str, ask: Callable[[], T]) -> T:
        """The answer of a call that may be repeated. Raises `ChangedError` if its condition failed."""
        for _ in (tries := self._tries(what)):
            try:
                return ask()
            except FAILURES as error:
                if not is_worth_trying(error, f"{what} {self._name}"):
                    raise ChangedError(first_line(error)) from error
                tries.failed(error)
        raise AssertionError("the last try raises")

    def _tries(self, what: str) -> Tries:
        return Tries(f"{what} {self._name}", count=_TRIES, first_s=_FIRST_PAUSE_S, most_s=_LONGEST_PAUSE_S)


class _Reading:
    """The reads of one try of a transaction. `stored`: the items that it has read."""

    def __init__(self, get: Callable[[Iterable[Key]], dict[Key, tuple[Stored, Item]]]) -> None:
        self._get = get
        self.stored: dict[Key, Stored] = {}

    def get_many(self, keys: Iterable[Key]) -> dict[Key, Item]:
        found = self._get(keys)
        self.stored |= {key: stored for key, (stored, _) in found.items()}
        return {key: item for key, (_, item) in found.items()}


def _changes(key: Key, body: str | None, stored: Mapping[Key, Stored], revision: str) -> Iterator[_Write]:
    """What one write does: the item that was read goes with all its parts, the new one comes with its own."""
    before = stored.get(key)
    expected = before.revision if before else None
    items = format_items(key, body, revision) if body is not None else {}
    yield key, items.pop(key, None), expected
    yield from ((part, None, expected) for part in (before.part_keys() if before else ()))
    yield from ((part, raw, None) for part, raw in items.items())


def _condition(change: _Write) -> dict[str, Any]:
    *_, expected = change
    if expected is None:
        return {"ConditionExpression": "attribute_not_exists(pk)"}
    return {
        "ConditionExpression": f"{REVISION} = :expected",
        "ExpressionAttributeValues": {":expected": {"S": expected}},
    }


def _check_size(changes: Sequence[_Write]) -> None:
    length = sum(length_of(item) for _, item, _ in changes if item)
    if len(changes) > _TRANSACTION_ITEMS or length > _TRANSACTION_LENGTH:
        raise ServiceError(
            Code.TOO_LARGE,
            f"{length} bytes in {len(changes)} items are to change at once, the ledger takes "
            f"{_TRANSACTION_LENGTH} in {_TRANSACTION_ITEMS}",
        )
