"""The look-up index's numbers on its decision page are what the script computes."""

from pathlib import Path

from bench.index_costs import row

PAGE = (Path(__file__).parents[2] / "site/content/decisions/0013-look-up-index.md").read_text()


def test_the_page_has_the_numbers_that_the_script_computes() -> None:
    for size in (10_000, 1_000_000):
        assert row(size) in PAGE
