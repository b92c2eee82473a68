"""The terms that partners have: tiers of credits and open packets, and how long what is private is kept.

The source documents name the tiers; their numbers are defaults. Nothing in the registry is ever deleted, so
the schedule of retention has no line for it; pages print the schedule wherever they speak of it.
"""

from dataclasses import dataclass

from attestlayer.encoding import shown
from issuer.errors import Code, ServiceError

_DAY_S = 86_400
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


@dataclass(frozen=True, slots=True)
class Retention:
    """`what` is kept for `days` days counted `since` something happened."""

    what: str
    days: int
    since: str

    @property
    def words(self) -> str:
        """`24 hours`, `90 days after delivery`, `7 years`."""
        years, days = divmod(self.days, 365)
        span = (
            f"{years} years" if years and not days else f"{self.days} days" if self.days > 1 else "24 hours"
        )
        return f"{span} {self.since}".strip()

    def end(self, now: float) -> float:
        """What is older than this time is deleted."""
        return now - self.days * _DAY_S

    def sure(self, now: float) -> float:
        """What is younger than this time must be there: a day less, as a store's time is not the ledger's."""
        return self.end(now) + _DAY_S


RECORDS_KEPT = Retention("records of blocked packets", 30, "")
KITS_KEPT = Retention("sealed and delivered kits, with the salts of their manifests", 90, "after delivery")
SCHEDULE = (
    Retention("unfinished uploads", 1, ""),
    RECORDS_KEPT,
    KITS_KEPT,
    Retention("the ledger of credits", 7 * 365, ""),
)
