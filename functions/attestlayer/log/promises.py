"""The promises of a registry, in seconds (REG-1.0 sections 7 and 8)."""

MERGE_DELAY_S = 600
"""Seconds within which an accepted leaf is in a signed checkpoint (registry transparency policy)."""

TRUST_ROOT_OLD_S = 30 * 86400
"""Seconds after which a trust root is old: the registry makes a new one every day (REG-1.0 section 9.6)."""

TRUST_ROOT_FROZEN_S = 2 * 86400
"""Seconds after which a trust root that a registry serves is late by a day."""

REGISTRY_STALE_S = 600
"""Seconds after which a newest checkpoint shows a registry's state no more (REG-1.0 section 12.8)."""

WITNESS_WINDOW_S = 600
"""Seconds that a cosignature's time may differ from the checkpoint's timestamp to count."""

MAX_CADENCE_S = 240
"""The longest time between checkpoints. Issuing refuses a log whose newest one is over 300 s old."""

_DAY_S = 86_400  # POSIX days are UTC dates: leap seconds do not count


def renews_trust_root(before: int | None, timestamp: int, *, notices_changed: bool) -> bool:
    """Whether the round with this timestamp makes `/v1/trust.json` again (REG-1.0 section 9.6).

    `before`: the timestamp of the checkpoint before it, None for sequence 0.
    """
    return before is None or notices_changed or before // _DAY_S != timestamp // _DAY_S
