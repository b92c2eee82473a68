"""Modules that take the place of others in the single-file verifier, which has the standard library only.

They import nothing of the project, so that they can be read and tested by themselves.
"""
