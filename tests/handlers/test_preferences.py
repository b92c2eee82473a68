"""Accept and Prefer: what a caller would like."""

import pytest

from issuer.api.call import choose_media_type, parse_wait

OFFERED = ("application/json", "text/csv")


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, "application/json"),
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/csv", "text/csv"),
        ("TEXT/CSV ; q=0.5", "text/csv"),
        ("text/*", "text/csv"),
        ("text/csv;q=0.5, application/json", "application/json"),
        ("application/json;q=0.1, text/csv;q=0.2", "text/csv"),
        ("*/*;q=0.9, application/json;q=0.1", "text/csv"),
        ("text/csv, application/json", "application/json"),
        ("text/csv;q=0, */*;q=0.1", "application/json"),
        ("image/png", "application/json"),
        ("text/csv;q=2", "text/csv"),
        (",;,=", "application/json"),
    ],
)
def test_the_preferred_media_type_is_chosen_and_the_first_on_a_tie(accept: str | None, chosen: str) -> None:
    assert choose_media_type(accept, OFFERED) == chosen


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        (None, 0),
        ("", 0),
        ("wait=10", 10),
        ('wait="10"', 10),
        ("WAIT = 3", 3),
        ("respond-async, wait=5", 5),
        ("wait=9999", 25),
        ("wait=99999", 0),
        ("wait=-1", 0),
        ("wait=1.5", 0),
        ("wait=١", 0),
        ("wait", 0),
        ("waits=3", 0),
    ],
)
def test_waiting_is_parsed_strictly_and_bounded(prefer: str | None, seconds: int) -> None:
    assert parse_wait(prefer) == seconds
