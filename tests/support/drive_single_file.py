"""Runs command lines of verify.py in one process: `drive_single_file.py VERIFY_PY NOW`, JSON in and out.

Without packages and on old Pythons, as the file itself does: this imports nothing of the project.
"""

import importlib.util
import io
import json
import sys

spec = importlib.util.spec_from_file_location("verify_py", sys.argv[1])
assert spec
assert spec.loader
verify = importlib.util.module_from_spec(spec)
sys.modules["verify_py"] = verify
spec.loader.exec_module(verify)
results = []
real = sys.stdout, sys.stderr
for line in json.load(sys.stdin):  # noqa: TID251
    sys.stdout, sys.stderr = (io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in range(2))
    code = verify.main(line, clock=lambda: int(sys.argv[2]))
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    out, err = (stream.buffer.getvalue().decode() for stream in (sys.stdout, sys.stderr))
    sys.stdout, sys.stderr = real
    results.append([code, out, err])
if "cryptography" in sys.modules or "rfc8785" in sys.modules or "socket" in sys.modules:
    sys.exit("something was imported that should not be here")
json.dump(results, sys.stdout)
