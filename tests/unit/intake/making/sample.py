"""One sample record: its file, and what its submitter says of it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sample:
    """A file of a sample set."""

    file: str
    record_type: str
    content: bytes
    metadata: dict[str, str]
