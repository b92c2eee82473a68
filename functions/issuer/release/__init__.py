"""What is handed out for checking: the verifier in one file, the kit of verifiers. Pure."""
