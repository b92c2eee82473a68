"""Queued notices: which of them can stand next in the public document."""

from attestlayer.canonical import parse_json, take_members
from attestlayer.log.keyring import read_notices
from attestlayer.log.notices import Notices, NoticeType
from issuer.model import QueuedNotice


def with_queued(notices: Notices, at: int, queued: QueuedNotice) -> Notices:
    """The notices with one more, of time `at`. Raises `ValueError` if it can't stand there."""
    extended = notices.extended(at, [(NoticeType(queued.type), take_members(parse_json(queued.data)))])
    read_notices(extended)
    return extended
