"""The audit of a whole registry."""
