"""The log: its private documents, how a round is signed, and the objects that a round publishes."""
