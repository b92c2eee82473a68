"""Notices documents and trust roots at their bounds."""

from pathlib import Path

import pytest

from attestlayer.canonical import format_json
from attestlayer.errors import FormatError
from attestlayer.log.notices import MAX_NOTICES, Notices, parse_notices
from support.bounds import bounded, document, withdrawals
from support.build import ORIGIN, START
from support.vectors import run


@pytest.mark.parametrize("vector", bounded(), ids=lambda vector: str(vector["comment"]))
def test_a_document_past_a_bound_is_refused(vector: dict[str, object], tmp_path: Path) -> None:
    assert run(vector, tmp_path) == vector["expect"]  # type: ignore[arg-type]


def test_no_document_is_made_that_readers_would_refuse() -> None:
    full = Notices(ORIGIN, ()).extended(START, withdrawals(MAX_NOTICES))
    assert len(full.notices) == MAX_NOTICES
    with pytest.raises(ValueError, match="10001 notices, at most 10000"):
        full.extended(START, withdrawals(MAX_NOTICES + 1))


def test_the_messages_name_what_is_there_and_what_can_be() -> None:
    with pytest.raises(FormatError, match="10001 notices, at most 10000 are allowed"):
        parse_notices(format_json(document(*withdrawals(MAX_NOTICES - 1))))
