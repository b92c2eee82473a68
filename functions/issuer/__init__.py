"""The service: what partners call, what writes the log, what the operator runs."""
