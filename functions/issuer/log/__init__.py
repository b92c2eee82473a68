"""The log's private state and what a round publishes: pure."""
