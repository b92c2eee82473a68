"""What the binder says, as the template's data: words, numbers and dates as people read them."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeAlias, TypedDict

from attestlayer.encoding import Hash, format_hash
from attestlayer.kit.intake import STATEMENTS, ReportCheck, ReportRecord
from attestlayer.kit.receipt import BOUNDARY
from attestlayer.log.promises import MERGE_DELAY_S
from issuer.model import Binder

Show: TypeAlias = Callable[[str], str]


class Row(TypedDict):
    """A row of a table: its texts, a record's metadata, how much it says, if it may be cut over pages."""

    texts: Mapping[str, str]
    metadata: Sequence[tuple[str, str]]
    length: int
    long: bool


NAME_FONTS = (
    "IBMPlexSans-Regular.ttf",
    "NotoSans-Regular.ttf",
    "NotoSansHebrew-Regular.ttf",
    "NotoSansArabic-Regular.ttf",
    "NotoSansArmenian-Regular.ttf",
    "NotoSansGeorgian-Regular.ttf",
    "NotoSansDevanagari-Regular.ttf",
    "NotoSansBengali-Regular.ttf",
    "NotoSansTamil-Regular.ttf",
    "NotoSansThai-Regular.ttf",
    "NotoSansCJKsc-Regular.otf",
)
"""The fonts of any text that is not the template's own, in the template's order (`scripts`)."""

CHARACTERS_LISTED = 400_000
"""What the rows of records may say in all, and those of checks: time and memory grow with it.

999 records of ordinary size stay below; what is past it, the binder counts and says where to find.
"""

_TEXT_MAX = 600  # characters of one name or value; a file name has at most 255 bytes
_METADATA_MAX = 6_000  # characters of one record's metadata

_LONG = 1300
"""Characters from which a row may be cut over pages. Up to here it fits on one, even all in wide letters."""

_NAMES_LISTED = 20
"""Record numbers, or runs of them, that a check's row lists."""

_LINE = 50
"""Characters' worth of height that a field of metadata has at least: its line."""

_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_UNITS = ("kB", "MB", "GB", "TB")


def binder_data(binder: Binder, show: Show) -> dict[str, object]:
    """The content of the template's data.json. `show` escapes a text to what the fonts can show."""
    show = _cut(show)
    numbers = {record.path: _number(record.path) for record in binder.records}
    checks = _within_budget(
        _check(check, binder.sentences[check.rule], numbers, show) for check in binder.checks
    )
    records = _within_budget(
        _record(record, digest, show) for record, digest in zip(binder.records, binder.hashes, strict=True)
    )
    return {
        **{name: show(getattr(binder, name)) for name in _TEXTS},
        **{name: getattr(binder, name).hex() for name in _HASHES},
        "boundary": show(BOUNDARY),
        "statements": show(STATEMENTS),
        "nonce_checkpoint": None if binder.nonce_checkpoint is None else format_hash(binder.nonce_checkpoint),
        "supersedes": None if binder.supersedes is None else show(binder.supersedes),
        "date": _date(binder.issued_at),
        "issued": format_moment(binder.issued_at),
        "merge_by": format_moment(binder.issued_at + MERGE_DELAY_S),
        "records_omitted": len(binder.records) - len(records),
        "checks_omitted": len(binder.checks) - len(checks),
        "total": _total(binder.records),
        "checks_summary": _checks_summary(binder.checks),
        "checks": checks,
        "records": records,
    }


_TEXTS = (
    *(
        "kit_id",
        "origin",
        "verify_page",
        "lane_id",
        "lane_title",
        "profile_id",
        "profile_title",
        "profile_summary",
    ),
    "issuer_kid",
)
_HASHES = ("intake_policy_hash", "client_nonce_hash")  # in hexadecimal, as sha256sum prints them


def format_moment(time: int) -> str:
    """A time, in POSIX seconds, as `31 January 2026, 23:59:59 UTC`."""
    when = datetime.fromtimestamp(time, UTC)
    return f"{when.day} {_MONTHS[when.month - 1]} {when.year}, {when:%H:%M:%S} UTC"


def format_bytes(size: int) -> str:
    """The exact size: `1,234,567 bytes`."""
    return _counted(size, "byte")


def format_size(size: int) -> str:
    """The size for reading, in decimal units and rounded down: `1.2 MB`; exact below 1,000 bytes."""
    if size < 1000:
        return format_bytes(size)
    # In integers, since a float would round 999,999 bytes up to 1.0 MB.
    power = min((len(str(size)) - 1) // 3, len(_UNITS))
    tenths = size * 10 // 1000**power
    return f"{tenths // 10:,}.{tenths % 10} {_UNITS[power - 1]}"


def format_numbers(numbers: Iterable[int]) -> list[str]:
    """Record numbers as `001–003`, `007`."""
    spans: list[list[int]] = []
    for number in sorted(set(numbers)):
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return [f"{a:03}" if a == b else f"{a:03}–{b:03}" for a, b in spans]


def _cut(show: Show) -> Show:
    def cut(text: str) -> str:
        if len(text) <= _TEXT_MAX:
            return show(text)
        return f"{show(text[:_TEXT_MAX])} … (cut: {len(text):,} characters, all in intake_report.json)"

    return cut


def _within_budget(rows: Iterable[Row]) -> list[Row]:
    """The first rows, at least one, that say at most `CHARACTERS_LISTED` characters. Lazy past them."""
    listed: list[Row] = []
    left = CHARACTERS_LISTED
    for row in rows:
        left -= row["length"]
        if listed and left < 0:
            break
        listed.append(row)
    return listed


def _date(time: int) -> dict[str, int]:
    when = datetime.fromtimestamp(time, UTC)
    parts = ("year", "month", "day", "hour", "minute", "second")
    return {part: int(getattr(when, part)) for part in parts}


def _counted(number: int, thing: str) -> str:
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def _total(records: Sequence[ReportRecord]) -> str:
    size = sum(record.size for record in records)
    rounded = "" if size < 1000 else f"{format_size(size)}, "
    return f"{_counted(len(records), 'record')} ({rounded}{format_bytes(size)})"


def _number(path: str) -> int | None:
    """The number in `records/007-name.pdf`."""
    digits = path.removeprefix("records/")[:3]
    # isdecimal alone takes the digits of every script.
    return int(digits) if digits.isascii() and digits.isdecimal() else None


def _checks_summary(checks: Sequence[ReportCheck]) -> str:
    counts = Counter(_result(check) for check in checks)
    return f"{_counted(len(checks), 'check')}: {', '.join(f'{n:,} {word}' for word, n in counts.items())}."


def _result(check: ReportCheck) -> str:
    """`Pass`, `Note`, `Not applicable`."""
    return check.result.capitalize().replace("-", " ")


def _check(check: ReportCheck, sentence: str, numbers: Mapping[str, int | None], show: Show) -> Row:
    # A path that is no record's is printed as it is: the binder shows what the report says.
    known = [number for path in check.records if (number := numbers.get(path)) is not None]
    unknown = [show(path) for path in check.records if numbers.get(path) is None]
    texts = {
        "rule": show(check.rule),
        "sentence": show(sentence),
        "result": _result(check),
        "found": show(check.found) or "–",
        "records": _listed([*format_numbers(known), *unknown]),
    }
    return _row(texts, [], narrow=len(texts["records"]))


def _listed(names: Sequence[str]) -> str:
    rest = len(names) - _NAMES_LISTED
    text = ", ".join(names[:_NAMES_LISTED])
    return (f"{text} and more (see intake_report.json)" if rest > 0 else text) or "–"


def _record(record: ReportRecord, digest: Hash, show: Show) -> Row:
    number = _number(record.path)
    texts = {
        "number": "–" if number is None else f"{number:03}",
        "path": show(record.path),
        "name": show(record.name),
        "type": show(record.record_type),
        "media": show(record.media_type),
        "sha256": digest.hex(),
        "size": format_size(record.size),
        "bytes": "" if record.size < 1000 else format_bytes(record.size),
    }
    return _row(texts, _metadata(record.metadata, show))


def _metadata(metadata: Mapping[str, str], show: Show) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    left = _METADATA_MAX
    for name, value in sorted(metadata.items()):
        pair = (show(name), show(value))
        left -= sum(map(len, pair))
        if left < 0:
            rest = _counted(len(metadata) - len(pairs), "field")
            return [*pairs, ("Not listed here", f"{rest}, in intake_report.json")]
        pairs.append(pair)
    return pairs


def _row(texts: Mapping[str, str], metadata: Sequence[tuple[str, str]], narrow: int = 0) -> Row:
    """`narrow`: characters in a narrow column, where a line holds a few only."""
    length = sum(map(len, texts.values())) + sum(len(name) + len(value) for name, value in metadata)
    height = length + _LINE * len(metadata) + 4 * narrow
    return Row(texts=texts, metadata=metadata, length=length, long=height > _LONG)
