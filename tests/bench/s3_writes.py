"""S3 writes: boto3 in threads against the store's own, obstore in threads: `python tests/bench/s3_writes.py`.

Both write 700 bytes under new names to a local server (ministack), so the ratio says more than the rates:
the server and its client share the machine. CPU is this process's.
"""

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from issuer.adapters.aws.s3 import S3Store
from support.cloud_places import bucket, client, s3_place
from support.cloud_servers import MINISTACK, server_url

COUNT, THREADS = 2000, 32
DATA = bytes(700)


def timed(write: Callable[[], None]) -> tuple[float, float]:
    """Writes a second, and milliseconds of CPU for each."""
    before, begun = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    write()
    took, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return COUNT / took, 1000 * cpu / COUNT


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        name = bucket(MINISTACK, Path(folder), "bench")
        s3, store = client("s3", server_url(MINISTACK)), S3Store(name, s3_place(MINISTACK))

        def with_boto3() -> None:
            def put(number: int) -> None:
                s3.put_object(Bucket=name, Key=f"boto3/{number}", Body=DATA, IfNoneMatch="*")

            with ThreadPoolExecutor(THREADS) as pool:
                list(pool.map(put, range(COUNT)))

        def with_store() -> None:
            store.create_many({f"obstore/{number}": DATA for number in range(COUNT)})

        found = {"boto3": timed(with_boto3), "obstore": timed(with_store)}
    for what, (rate, cpu) in found.items():
        print(f"{what:8} {rate:6.0f} writes/s, {cpu:5.2f} ms of CPU each")
    ratio = found["boto3"][1] / found["obstore"][1]
    print(f"boto3 takes {ratio:.0f} times the CPU of obstore")


if __name__ == "__main__":
    sys.exit(main())
