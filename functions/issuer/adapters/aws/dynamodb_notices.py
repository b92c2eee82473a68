"""The queue of notices in a DynamoDB transaction: each once, in order of queueing."""

from issuer.adapters.aws.dynamodb_keys import NEXT_NOTICE, NOTICES, notice_key, notice_of
from issuer.adapters.aws.dynamodb_table import Table
from issuer.adapters.aws.dynamodb_work import Work
from issuer.model import QueuedNotice


def queue(work: Work, notice: QueuedNotice) -> None:
    """The notice, its place by what it says, and the queue's next number."""
    place = notice_of(notice)
    work.read(place, NEXT_NOTICE)
    if work.get(place):
        return
    counter = work.get(NEXT_NOTICE)
    number = counter.number("number") if counter else 0
    work.put(NEXT_NOTICE, {"number": number + 1})
    work.put(place, {"number": number})
    work.put(notice_key(number), {"type": notice.type}, notice.data)


def queued(table: Table) -> tuple[QueuedNotice, ...]:
    """All of them, in order."""
    return tuple(QueuedNotice(item.text("type") or "", item.body) for item in table.query(NOTICES))


def drop(work: Work, notice: QueuedNotice) -> None:
    """Take the notice out if it is there."""
    place = work.get(notice_of(notice))
    if place:
        key = notice_key(place.number("number"))
        work.read(key)
        work.delete(key)
        work.delete(place.key)
