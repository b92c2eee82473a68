"""The daily handler on a home: each part is done whatever becomes of the others."""

from pathlib import Path

from handlers.client import running
from issuer.handlers import maintain


def test_a_home_in_order_gives_a_clean_answer(tmp_path: Path) -> None:
    with running(tmp_path / "home") as site:
        answer = maintain.handler({}, None)
        assert answer == {"partials": 0, "objects": 0, "findings": [], "notes": 0, "failed": []}
        assert site.raw("GET", "/v1/stats").status == 200


def test_a_part_that_fails_is_told_and_the_others_are_done(tmp_path: Path) -> None:
    with running(tmp_path / "home"):
        (tmp_path / "home/private/collected").write_bytes(b"{}")
        answer = maintain.handler({}, None)
        assert answer["failed"] == [["collect", answer["failed"][0][1]]]  # type: ignore[index]
        assert "'collected' is damaged" in answer["failed"][0][1]  # type: ignore[index]
        assert answer["findings"] == []
