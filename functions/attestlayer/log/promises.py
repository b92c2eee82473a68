"""The promises of a registry, in seconds (REG-1.0 sections 7 and 8)."""

MERGE_DELAY_S = 600
"""Seconds within which an accepted leaf is in a signed checkpoint (registry transparency policy)."""

WITNESS_WINDOW_S = 600
"""Seconds that a cosignature's time may differ from the checkpoint's timestamp to count."""
