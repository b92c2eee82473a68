"""Verifiers to hand out: verify.py and verify.html in one file each, verify-kit.zip. Pure."""
