"""The operator's audit of private state: each module looks at one kind of it, through the ports."""
