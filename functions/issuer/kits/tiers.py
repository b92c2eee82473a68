"""Tiers: credits a term and open packets. The source documents name them; the numbers are defaults."""

from dataclasses import dataclass

from attestlayer.encoding import shown
from issuer.errors import Code, ServiceError

TERM_DAYS = 365


@dataclass(frozen=True, slots=True)
class Tier:
    """A tier. `cohorts`: whether credits can be reserved for repeat client cohorts."""

    name: str
    credits: int
    open_packets: int
    cohorts: bool


TIERS = (
    Tier("starter", 10, 3, cohorts=False),
    Tier("growth", 50, 25, cohorts=False),
    Tier("portfolio", 250, 250, cohorts=True),
)


def tier_of(name: str) -> Tier:
    """The tier of that name. Raises `ServiceError` (INVALID_REQUEST)."""
    for tier in TIERS:
        if tier.name == name:
            return tier
    names = ", ".join(tier.name for tier in TIERS)
    raise ServiceError(Code.INVALID_REQUEST, f"found tier {shown(name)}, wanted one of {names}")
