"""The kit: its container and the documents in it."""
