"""The queue of notices: each once, in order of queueing."""

from issuer.ledger.keys import NEXT_NOTICE, notice_key, notice_pointer
from issuer.ledger.rows import NOTICES, NUMBERS, POINTERS
from issuer.ledger.work import Work
from issuer.model import QueuedNotice


def queue(work: Work, notice: QueuedNotice) -> None:
    """Store the notice, the pointer to it, and the queue's next number."""
    pointer = notice_pointer(notice)
    work.read(pointer, NEXT_NOTICE)
    if work.get(POINTERS, pointer) is None:
        number = work.get(NUMBERS, NEXT_NOTICE) or 0
        work.put(NUMBERS, NEXT_NOTICE, number + 1)
        work.put(POINTERS, pointer, notice_key(number))
        work.put(NOTICES, notice_key(number), notice)


def drop(work: Work, notice: QueuedNotice) -> None:
    """Delete the notice if it is queued."""
    pointer = notice_pointer(notice)
    if key := work.get(POINTERS, pointer):
        work.read(key)
        work.delete(key)
        work.delete(pointer)
