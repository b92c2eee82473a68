"""What each handler loads before it can answer: cold starts pay for it (`tests/bench/imports.py`)."""

import pytest

from bench.imports import HANDLERS, measure
from support.thorough import sampled

ALL_BUT_PROVE = [name for name in HANDLERS if name != "prove"]


def test_prove_loads_neither_boto3_nor_validation() -> None:
    _, _, loaded = measure("prove")
    # Powertools looks whether there is a botocore, and loads its first module for that, but no client.
    assert set(loaded) <= {"botocore", "cryptography", "obstore"}


@pytest.mark.parametrize("name", sampled(ALL_BUT_PROVE, 3))
def test_none_loads_the_router_of_powertools_and_only_publishing_the_pages(name: str) -> None:
    _, _, loaded = measure(name)
    assert "aws_lambda_powertools.event_handler" not in loaded, "the table of endpoints routes"
    assert "jinja2" not in loaded, "pages are made when they are published"
    assert not {"PIL", "pikepdf", "pypdf"} & set(loaded), "only the examining process reads records"


def test_every_function_of_the_service_is_measured() -> None:
    functions = {"deliver", "issue", "maintain", "notify", "prove", "publish", "sequence"}
    assert functions <= set(HANDLERS)
