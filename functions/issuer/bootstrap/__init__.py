"""Puts the service together: the only package that names adapters."""
