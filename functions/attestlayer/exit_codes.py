"""Exit codes of every command: what a script may conclude from them (REG-1.0 section 12.5).

1 is none of them: an interpreter that fails to start, or a command that crashes, exits 1. That is no verdict.
"""

EXIT_DONE = 0
"""VERIFIED, a clean audit, or done."""
EXIT_COULD_NOT = 2
"""COULD NOT CHECK, or could not be done: no statement about the input."""
EXIT_NO = 3
"""The answer is no: NOT VERIFIED, or an audit with findings."""
EXIT_USAGE = 64
"""The command line was not understood: EX_USAGE of sysexits.h, as 2 means COULD NOT CHECK."""
EXIT_INTERRUPTED = 130
"""Interrupted: 128 + SIGINT."""
