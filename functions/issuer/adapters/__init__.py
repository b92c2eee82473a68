"""Adapters: implementations of the ports, one technology a module."""
