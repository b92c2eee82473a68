"""How the shipped policies and sample records are made. Deterministic: the same bytes each run."""
