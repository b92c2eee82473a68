"""How long what is private is kept: one schedule, printed wherever a page speaks of it.

Nothing in the registry is ever deleted, so it has no line with a number.
"""

from dataclasses import dataclass


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


_DAY_S = 86_400

RECORDS = Retention("records of blocked packets", 30, "")
KITS = Retention("sealed and delivered kits, with the salts of their manifests", 90, "after delivery")
SCHEDULE = (
    Retention("unfinished uploads", 1, ""),
    RECORDS,
    KITS,
    Retention("the ledger of credits", 7 * 365, ""),
)
