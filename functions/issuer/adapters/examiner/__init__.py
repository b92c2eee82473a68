"""`issuer.ports.Examiner` by processes with limits: pool, process and worker, and what they say."""
