"""Making a kit out of accepted records: pure."""
