"""The version of the public package, as pyproject.toml and the single-file verifier say it."""

VERSION = "0.1.0"
