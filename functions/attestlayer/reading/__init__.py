"""Reads kits from the file system and registries from a folder or over HTTP."""
