"""The system's clock and random bytes."""

import pytest

from issuer.adapters.system import SystemClock, SystemEntropy


def test_the_clock_tells_posix_seconds() -> None:
    clock = SystemClock()
    first = clock.now()
    assert 1_700_000_000 < first < 10_000_000_000


@pytest.mark.parametrize("seconds", [0.0, -1.0])
def test_waiting_for_a_moment_that_is_past_returns(seconds: float) -> None:
    SystemClock().sleep(seconds)


@pytest.mark.parametrize("length", [1, 16, 32])
def test_tokens_have_their_length(length: int) -> None:
    assert len(SystemEntropy().token(length)) == length


def test_tokens_differ() -> None:
    assert len({SystemEntropy().token(16) for _ in range(100)}) == 100


@pytest.mark.parametrize("length", [0, -1])
def test_a_token_of_nothing_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="wanted 1 or more"):
        SystemEntropy().token(length)
