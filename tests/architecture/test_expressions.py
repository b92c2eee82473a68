"""Every regular expression is linear: over twice the text an engine takes at most about twice the steps."""

import math
import sys
from collections.abc import Iterator

import pytest

from support.expressions import Expression, hostile_texts, js_expressions, python_expressions, steps

SHORT, LONG = 18, 36
"""Lengths of texts. A quadratic expression takes four times the steps for the second."""

SETTLED = {
    "issuer.intake.texts._JSON_TOKEN": "its input is JSON that parses, in which every string ends",
}
"""Expressions that are quadratic over texts that can't reach them."""


@pytest.fixture(autouse=True)
def _deep() -> Iterator[None]:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)
    yield
    sys.setrecursionlimit(limit)


def worst(expression: Expression) -> float:
    """How much faster than the text the steps grow, at worst."""
    pairs = zip(hostile_texts(expression, SHORT), hostile_texts(expression, LONG), strict=True)
    return max(_growth(expression, short, long) for short, long in pairs)


def _growth(expression: Expression, short: str, long: str) -> float:
    most = steps(expression, long)
    return most if math.isinf(most) else most / (steps(expression, short) + len(long) + 1)


@pytest.mark.parametrize(
    "pattern",
    [r"^[ \t]+|[ \t]+$", r"(a+)+$", r"(.*/)?([^/]*~)(/.*)?x", r"\s*x", r'"(?:[^"\\]|\\.)*"', r"(a|a)*b"],
)
def test_what_is_not_linear_is_told(pattern: str) -> None:
    assert worst(Expression("here", pattern, anywhere=True)) > 2.5


@pytest.mark.parametrize(
    "pattern", [r"^[a-z]+(?:/[a-z]+)*$", r"[ \t]+", r"[^a-z]", r"^(?:0|[1-9][0-9]{0,18})$", "ab+c"]
)
def test_what_is_linear_is_let_through(pattern: str) -> None:
    assert worst(Expression("here", pattern, anywhere=True)) < 2.5


def test_every_expression_is_linear() -> None:
    found = [*python_expressions(), *js_expressions()]
    assert len([each for each in found if ".js:" in each.place]) > 20
    assert len(found) > 70
    growing = {each.place: growth for each in found if (growth := worst(each)) > 2.5}
    assert growing.keys() == SETTLED.keys(), growing
