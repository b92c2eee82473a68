"""What stands behind the ports, one technology a module."""
