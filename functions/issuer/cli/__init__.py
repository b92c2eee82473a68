"""The console command `issuer`, one module a group of commands."""
