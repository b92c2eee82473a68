"""Intake policies as data, and the checks that hold records against them. Pure."""
