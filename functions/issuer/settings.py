"""Settings: the only reader of the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from attestlayer.encoding import parse_decimal
from issuer.errors import Code, ServiceError

DEFAULT_CADENCE_S = 60
DEFAULT_PORT = 8787
MAX_CADENCE_S = 240
"""Issuing refuses a log whose newest checkpoint is over 300 s old: a slower one would refuse by itself."""

_HOME = "ATTESTLAYER_HOME"
_CADENCE = "ATTESTLAYER_CADENCE_SECONDS"
_BASE_URL = "ATTESTLAYER_BASE_URL"


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the embedded service lives and how it runs."""

    home: Path
    cadence_s: int = DEFAULT_CADENCE_S
    base_url: str = f"http://127.0.0.1:{DEFAULT_PORT}"


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of this process. Raises `ServiceError` (HOME_UNUSABLE, INVALID_REQUEST)."""
    home = environment.get(_HOME)
    if not home:
        raise ServiceError(Code.HOME_UNUSABLE, f"no home was given: set {_HOME} or use --home")
    cadence = environment.get(_CADENCE, str(DEFAULT_CADENCE_S))
    base_url = environment.get(_BASE_URL, Settings(Path(home)).base_url)
    return Settings(Path(home), parse_cadence(cadence), base_url)


def parse_cadence(text: str) -> int:
    """Seconds between checkpoints, 1 … 240. Raises `ServiceError` (INVALID_REQUEST)."""
    try:
        cadence = parse_decimal(text, MAX_CADENCE_S)
    except ValueError:
        cadence = 0
    if cadence < 1:
        raise ServiceError(
            Code.INVALID_REQUEST, f"cadence: found {text!a}, wanted 1 to {MAX_CADENCE_S} seconds"
        )
    return cadence
