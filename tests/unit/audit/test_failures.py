"""Failures of a network: a sentence for people, without class names and numbers of errors."""

import errno
import http.client
import re
import socket
import ssl

import pytest

from attestlayer.errors import CouldNotCheckError
from attestlayer.reading.failures import describe_failure
from attestlayer.reading.registry import HttpRegistry


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), "the connection was refused"),
        (socket.gaierror(-2, "Name or service not known"), "the host's name is not known"),
        (TimeoutError("timed out"), "no answer in time"),
        (ConnectionResetError(errno.ECONNRESET, "reset"), "the connection was cut"),
        (http.client.RemoteDisconnected("x"), "closed the connection without an answer"),
        (http.client.IncompleteRead(b"", 7), "cut in the middle of the answer"),
        (http.client.BadStatusLine("\x1b[2J"), "the answer is not HTTP"),
        (http.client.InvalidURL("x y"), "the address is not valid"),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version"), "may not speak HTTPS"),
        (OSError(errno.EHOSTUNREACH, "No route to host"), "the connection failed: No route to host"),
        (OSError(), "no cause was given"),
    ],
)
def test_a_failure_is_a_sentence(error: Exception, words: str) -> None:
    said = describe_failure(error)
    assert words in said
    assert type(error).__name__ not in said
    assert not re.search(r"Errno|\[|[0-9]", said)


def test_a_refused_connection_names_the_whole_address() -> None:
    with socket.socket() as taken:  # bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/log"
        with pytest.raises(CouldNotCheckError) as caught:
            HttpRegistry(url, sleep=lambda _: None).read("v1/stats")
    assert str(caught.value).startswith(f"{url}/v1/stats: the connection was refused: no server listens")
