"""Has imported everything, and forks an `issuer serve` for each line that it reads: a start takes no second.

    python serving.py <arguments of issuer serve …>

For each line it prints `pid N`, what the server prints, and once that has ended `ended <status>`.
"""

import os
import sys

from issuer.cli import main as issuer


def main(arguments: list[str]) -> None:
    assert len(os.listdir("/proc/self/task")) == 1, "a fork would lose threads"  # noqa: PTH208
    for _ in sys.stdin:
        pid = os.fork()
        if pid == 0:
            os._exit(issuer.main(["serve", *arguments]))
        print(f"pid {pid}", flush=True)
        _, status = os.waitpid(pid, 0)
        print(f"ended {os.waitstatus_to_exitcode(status)}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
