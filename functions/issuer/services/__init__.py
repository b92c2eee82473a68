"""Use cases, one a module. They see ports and never an adapter."""
