"""Records with a version in a DynamoDB transaction: stored once, then replaced by the next version only."""

from issuer.adapters.aws.dynamodb_items import Key
from issuer.adapters.aws.dynamodb_work import Work
from issuer.adapters.aws.packed import packed
from issuer.errors import Code, ServiceError


def add(work: Work, key: Key, what: str, version: int, text: str) -> None:
    """Store a new record. Raises ALREADY_EXISTS."""
    if work.get(key):
        raise ServiceError(Code.ALREADY_EXISTS, f"{what} exists")
    work.put(key, {"version": version}, packed(text))


def replace(work: Work, key: Key, what: str, version: int, text: str) -> None:
    """Store the next version. Raises CHANGED_MEANWHILE unless the stored one is the one before."""
    stored = work.get(key)
    if stored is None or stored.number("version") != version - 1:
        raise ServiceError(Code.CHANGED_MEANWHILE, f"{what} is not stored in version {version - 1}")
    work.put(key, {"version": version}, packed(text))
