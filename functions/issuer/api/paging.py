"""Cursor paging: `starting_after` names the last item of the page before, `limit` the size of this one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeVar
from urllib.parse import urlencode

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import BeforeValidator

from attestlayer.encoding import parse_decimal, shown
from issuer.errors import Code, Fault, ServiceError

DEFAULT_LIMIT = 20
MAX_LIMIT = 100
QUERY = frozenset({"starting_after", "limit"})

T = TypeVar("T")


def _parse_limit(value: object) -> int:
    return parse_decimal(str(value), MAX_LIMIT)


Limit = Annotated[
    int, BeforeValidator(_parse_limit), Query(ge=1, le=MAX_LIMIT, description="items of one page")
]
StartingAfter = Annotated[str | None, Query(description="the id of the last item of the page before")]


@dataclass(frozen=True, slots=True)
class Page:
    """Which page is wanted."""

    starting_after: str | None
    limit: int

    def read(self, fetch: Callable[[str | None, int], Sequence[T]]) -> tuple[Sequence[T], bool]:
        """The page's items, and whether there are more: one item more than wanted is asked for."""
        found = fetch(self.starting_after, self.limit + 1)
        return found[: self.limit], len(found) > self.limit

    def following(self, path: str, last_id: str | None, *, has_more: bool) -> dict[str, str]:
        """The Link header to the next page (RFC 8288)."""
        if not has_more or last_id is None:
            return {}
        query = urlencode({"starting_after": last_id, "limit": self.limit})
        return {"Link": f'<{path}?{query}>; rel="next"'}


def unknown_cursor(starting_after: str) -> ServiceError:
    """A cursor that names nothing of this list: an empty page would look like its end."""
    detail = f"found {shown(starting_after)}, wanted the id of an item of this list"
    fault = Fault("/query/starting_after", "unknown-cursor", detail, "Begin again without starting_after.")
    return ServiceError(Code.INVALID_REQUEST, f"starting_after: {detail}", faults=(fault,))
