"""The log: its tree, checkpoints, notices and keys, and where each public object is."""
