"""Adapters on a folder of files and SQLite."""
