"""Verification of kits, registry receipts and disclosed records, in fifteen steps."""
