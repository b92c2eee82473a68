"""Failures of a network in one sentence each, for people: no class names, no error numbers."""

import http.client
import socket
import ssl

from attestlayer.visible import visible


def describe_failure(error: Exception) -> str:
    """What went wrong with a request, from `OSError` or `HTTPException`."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the server's certificate is not accepted: {error.verify_message}"
    if isinstance(error, OSError):
        return _describe_os(error)
    if isinstance(error, http.client.IncompleteRead):
        return "the connection was cut in the middle of the answer"
    if isinstance(error, http.client.InvalidURL):
        return "the address is not valid"
    return "the answer is not HTTP"


def _describe_os(error: OSError) -> str:
    # The first that fits: a subclass stands before its base.
    for kind, words in _WORDS:
        if isinstance(error, kind):
            return words
    # A refusing proxy's answer comes without a number: `Tunnel connection failed: 407 …` (http.client).
    return f"the connection failed: {visible(error.strerror or str(error)) or 'no cause was given'}"


_WORDS: tuple[tuple[type[OSError], str], ...] = (
    (ConnectionRefusedError, "the connection was refused: no server listens at this address"),
    (socket.gaierror, "the host's name is not known"),
    (TimeoutError, "there was no answer in time, or it took too long"),
    (http.client.RemoteDisconnected, "the server closed the connection without an answer"),
    (ConnectionError, "the connection was cut"),
    (ssl.SSLError, "no secure connection could be made: the server may not speak HTTPS"),
)
