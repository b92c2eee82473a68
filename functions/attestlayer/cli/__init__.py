"""The console command `attestlayer`, one module a command."""
