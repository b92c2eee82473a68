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


SCHEDULE = (
    Retention("unfinished uploads", 1, ""),
    Retention("records of blocked packets", 30, ""),
    Retention("sealed and delivered kits, with the salts of their manifests", 90, "after delivery"),
    Retention("the ledger of credits", 7 * 365, ""),
)
