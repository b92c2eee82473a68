"""Settings: a home or the cloud, said by the environment, and told clearly when it is neither or both."""

from pathlib import Path

import pytest

from issuer.errors import Code, ServiceError
from issuer.settings import CLOUD_NAMES, CloudSettings, KeySource, Settings, check_no_cloud, read_settings

ARN = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd"
CLOUD = {
    "ATTESTLAYER_ORIGIN": "registry.example.org",
    "ATTESTLAYER_BASE_URL": "https://api.example.org",
    "ATTESTLAYER_REGISTRY_BUCKET": "registry-bucket",
    "ATTESTLAYER_PRIVATE_BUCKET": "private-bucket",
    "ATTESTLAYER_TABLE": "ledger",
    "ATTESTLAYER_REGISTRY_KEYS": f"kms:{ARN}",
    "ATTESTLAYER_ISSUER_KEYS": f"wrapped:{ARN}:keys/issuer.json  kms:alias/issuer",
    "AWS_REGION": "eu-central-1",
}


def refused(environment: dict[str, str]) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        read_settings(environment)
    return caught.value


def test_a_home_is_a_home() -> None:
    assert read_settings({"ATTESTLAYER_HOME": "/home"}) == Settings(Path("/home"))
    given = {
        "ATTESTLAYER_HOME": "/home",
        "ATTESTLAYER_CADENCE_SECONDS": "5",
        "ATTESTLAYER_BASE_URL": "http://x",
    }
    assert read_settings(given) == Settings(Path("/home"), 5, "http://x")


PAGE = "https://verify.example.org/?from=kit"


@pytest.mark.parametrize("environment", [{"ATTESTLAYER_HOME": "/home"}, CLOUD], ids=["home", "cloud"])
def test_the_page_that_kits_name_is_a_setting(environment: dict[str, str]) -> None:
    assert read_settings(environment).verify_page is None
    assert read_settings(environment | {"ATTESTLAYER_VERIFY_PAGE": ""}).verify_page is None
    assert read_settings(environment | {"ATTESTLAYER_VERIFY_PAGE": PAGE}).verify_page == PAGE
    for bad in (
        "verify.example.org",
        "https://",
        "javascript:x",
        f"{PAGE} ",
        "https://é.org/",
        PAGE + "x" * 200,
    ):
        error = refused(environment | {"ATTESTLAYER_VERIFY_PAGE": bad})
        assert error.code is Code.INVALID_REQUEST
        assert "ATTESTLAYER_VERIFY_PAGE: found" in error.detail


def test_the_cloud_is_what_all_its_names_say() -> None:
    assert read_settings(CLOUD) == CloudSettings(
        origin="registry.example.org",
        cadence_s=60,
        base_url="https://api.example.org",
        registry_bucket="registry-bucket",
        private_bucket="private-bucket",
        table="ledger",
        registry_keys=(KeySource(ARN),),
        issuer_keys=(KeySource(ARN, "keys/issuer.json"), KeySource("alias/issuer")),
        region="eu-central-1",
    )


def test_another_server_may_stand_in_for_the_cloud() -> None:
    found = read_settings(CLOUD | {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"})
    assert isinstance(found, CloudSettings)
    assert found.endpoint_url == "http://127.0.0.1:4566"


def test_nothing_is_neither_a_home_nor_the_cloud() -> None:
    error = refused({})
    assert error.code is Code.HOME_UNUSABLE
    for name in ("ATTESTLAYER_HOME", "--home", *CLOUD_NAMES):
        assert name in error.detail


@pytest.mark.parametrize("name", [*CLOUD_NAMES, "AWS_REGION"])
def test_what_the_cloud_lacks_is_named(name: str) -> None:
    left = {key: value for key, value in CLOUD.items() if key != name}
    error = refused(left)
    assert error.code is Code.HOME_UNUSABLE
    assert name in error.detail


def test_all_that_is_missing_is_told_at_once() -> None:
    error = refused({"ATTESTLAYER_TABLE": "ledger"})
    for name in CLOUD_NAMES:
        assert (name in error.detail) is (name != "ATTESTLAYER_TABLE")


def test_a_process_is_not_both() -> None:
    error = refused(CLOUD | {"ATTESTLAYER_HOME": "/home"})
    assert error.code is Code.HOME_UNUSABLE
    assert "both" in error.detail
    with pytest.raises(ServiceError, match="both"):
        check_no_cloud(CLOUD)
    check_no_cloud({"ATTESTLAYER_BASE_URL": "http://x"})


@pytest.mark.parametrize(
    "keys",
    [
        "1234",
        "kms:",
        "wrapped:key",
        "wrapped::object",
        "wrapped:key:",
        "local:key",
        "kms:a kms:a",
        "kms:a, kms:b x",
    ],
)
def test_what_names_no_key_is_refused(keys: str) -> None:
    error = refused(CLOUD | {"ATTESTLAYER_ISSUER_KEYS": keys})
    assert error.code is Code.INVALID_REQUEST
    assert "ATTESTLAYER_ISSUER_KEYS" in error.detail


@pytest.mark.parametrize("name", ["ATTESTLAYER_ORIGIN", "ATTESTLAYER_CADENCE_SECONDS"])
def test_a_value_that_is_not_one_is_refused(name: str) -> None:
    assert refused(CLOUD | {name: "Not One"}).code is Code.INVALID_REQUEST
