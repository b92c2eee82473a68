"""The local cloud: ministack, our template on it by the very deployment, the CDN's stand-in and the API.

It proves that the template makes a stack whose functions run from their zips alone, called by real events,
with real conditional writes, transactions and KMS signatures, and that roles and key policies, which are
enforced, allow it. Only AWS can prove bucket policies and alarms by metric math (both left out here), arm64,
CloudFront itself, and quotas.
"""

import argparse
import contextlib
import fnmatch
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cdn
from build import build, this_machine
from deploy import DeployError, Deployment, Plan
from template import Template

ROOT = Path(__file__).resolve().parents[1]
LOCAL = ROOT / "dist/local"
STACK = "attestlayer-local"
ORIGIN = "registry.localhost"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}
NOT_MODELLED = ("ErrorsAlarm", "ThrottlesAlarm", "RegistryPolicy", "PrivatePolicy")
"""Alarms by metric math, which ministack refuses, and bucket policies: it knows neither the headers that they
name nor TLS, so it would refuse every PUT. tests/infra holds them against the requests that are made."""
EACH_ROUND = ("sequence", "deliver", "index", "release")

_STARTING_S = 60
_COLD_S = 300
"""Seconds for a function's first call, which unpacks its zip."""


@dataclass(frozen=True)
class Cloud:
    """A running local cloud: addresses of registry, API and ministack, the deployment and its CDN."""

    registry: str
    api: str
    endpoint: str
    deployment: Deployment
    distribution: cdn.Distribution

    def invoke(self, function: str) -> dict[str, Any]:
        """Call a function of the stack and wait. Returns its answer."""
        return self.deployment.invoke(function)

    def environment(self) -> dict[str, str]:
        """The environment in which the operator's `issuer` works on this stack."""
        client = self.deployment.client("lambda")
        configuration = client.get_function_configuration(FunctionName=f"{STACK}-issue")
        variables: dict[str, str] = configuration["Environment"]["Variables"]
        names = {name: value for name, value in variables.items() if name.startswith("ATTESTLAYER_")}
        return {**CREDENTIALS, **names, "AWS_ENDPOINT_URL": self.endpoint}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def ministack(log: Path, *, enforcing: bool = False) -> Iterator[str]:
    """A ministack of our own on loopback. Functions run with the system's Python: only the zips' packages.

    `enforcing`: roles and key policies are enforced, on signed requests. Our own credentials are the root's.
    """
    port = free_port()
    base = Path(sys.base_prefix) / "bin"
    environment = {
        "PATH": f"{base}:{os.environ['PATH']}",
        "HOME": os.environ.get("HOME", "/"),
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "AUTH": str(enforcing).lower(),
        "LOG_LEVEL": "INFO",
        **CREDENTIALS,
    }
    with log.open("w") as out:
        process = subprocess.Popen(
            [str(ROOT / ".venv-servers/bin/ministack")], env=environment, stdout=out, stderr=subprocess.STDOUT
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(process, url)
        yield url
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)


def wait_for(process: "subprocess.Popen[bytes]", url: str) -> None:
    until = time.monotonic() + _STARTING_S
    while time.monotonic() < until:
        if process.poll() is not None:
            raise SystemExit(f"cloud: ministack ended with {process.returncode}")
        try:
            urllib.request.urlopen(f"{url}/_ministack/health", timeout=2).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"cloud: {url} did not answer within {_STARTING_S} s")


def local_template() -> Template:
    """Build for this machine's Python if need be, and drop resources that ministack does not model."""
    build(this_machine(), LOCAL, level=1)
    path = LOCAL / "template.json"
    template: Template = json.loads(path.read_text(encoding="utf-8"))
    for name in NOT_MODELLED:
        template["Resources"].pop(name, None)
    path.write_text(json.dumps(template), encoding="utf-8")
    return template


def plan(cadence_s: int) -> Plan:
    """The deployment plan: the sandbox's parameters, with this machine's Python and architecture."""
    parameters = {
        "Origin": ORIGIN,
        "CadenceSeconds": str(cadence_s),
        "Runtime": f"python{sys.version_info.major}.{sys.version_info.minor}",
        "Architecture": "x86_64" if os.uname().machine == "x86_64" else "arm64",
        "Reserve": "no",
        "Firewall": "no",
        "LockMode": "GOVERNANCE",
        "LockDays": "1",
        "Protection": "false",
    }
    return Plan(STACK, parameters, {}, LOCAL)


class Api:
    """The HTTP API under 127.0.0.1: ministack finds it by the Host header."""

    def __init__(self, endpoint: str, host: str) -> None:
        self._endpoint, self._host = endpoint, host

    def serve(self, port: int) -> ThreadingHTTPServer:
        """Passes requests on as they are."""
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _do(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {n: v for n, v in self.headers.items() if n.lower() not in ("host", "connection")}
                status, answered, data = api.ask(self.command, self.path, headers, body)
                self.send_response(status)
                for name, value in answered:
                    if name.lower() not in (
                        "content-length",
                        "transfer-encoding",
                        "connection",
                        "date",
                        "server",
                    ):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(data)

            do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = _do  # noqa: N815

            def log_message(self, *arguments: object) -> None:
                """Leave standard error alone: a log line for each request would drown the demo."""

        return ThreadingHTTPServer(("127.0.0.1", port), Handler)

    def ask(
        self, method: str, target: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """One exchange with ministack's HTTP API."""
        host, _, port = self._endpoint.removeprefix("http://").partition(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=_COLD_S)
        try:
            connection.request(method, target, body or None, {**headers, "Host": self._host})
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()


@contextlib.contextmanager
def running(cadence_s: int, port: int = 0) -> Iterator[Cloud]:
    """Deploy the whole cloud, and end it on exit. The registry listens at `port` (0: any free one)."""
    os.environ.update(CREDENTIALS)
    template = local_template()
    with ministack(LOCAL / "ministack.log", enforcing=True) as endpoint, contextlib.ExitStack() as stack:
        deployment = Deployment(plan(cadence_s), endpoint, poll_s=0.2)
        outputs = deployment.run()
        prove = cdn.Prove(deployment.client("lambda"), f"{STACK}-prove")
        distribution = cdn.Distribution(template, deployment.client("s3"), outputs["RegistryBucket"], prove)
        stack.callback(distribution.close)
        api = Api(endpoint, outputs["ApiUrl"].removeprefix("http://").removeprefix("https://"))
        status, _, _ = api.ask("GET", "/v1/openapi.json", {}, b"")
        if status != 200:
            raise SystemExit(f"cloud: the partner API answered {status}; see {LOCAL / 'ministack.log'}")
        servers = [cdn.serve(distribution, port or free_port()), api.serve(free_port())]
        for server in servers:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            stack.callback(server.shutdown)
        registry_url, api_url = (f"http://127.0.0.1:{each.server_address[1]}" for each in servers)
        yield Cloud(registry_url, api_url, endpoint, deployment, distribution)


def tick(cloud: Cloud, cadence_s: int, ended: threading.Event) -> None:
    """Rounds faster than the scheduler's minute; at a minute the scheduler makes them."""
    while not ended.wait(cadence_s):
        for function in EACH_ROUND:
            try:
                cloud.invoke(function)
            except Exception as error:  # the next round may do it
                print(f"{function}: {error}", file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description="The whole cloud on this machine.")
    parser.add_argument("--port", type=int, default=0, help="port of the registry (any)")
    parser.add_argument("--cadence", type=int, default=60, metavar="S", help="seconds between rounds (60)")
    parser.add_argument("--once", action="store_true", help="deploy, deploy again, and end")
    arguments = parser.parse_args()
    ended = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: ended.set())
    with running(arguments.cadence, arguments.port) as cloud:
        print(f"registry  {cloud.registry}\napi       {cloud.api}\naws       {cloud.endpoint}", flush=True)
        for name, value in cloud.environment().items():
            print(f"export {name}='{value}'", flush=True)
        if arguments.once:
            return again(cloud) or check_headers(cloud) or check_enforced(cloud)
        if arguments.cadence < 60:
            threading.Thread(target=tick, args=(cloud, arguments.cadence, ended), daemon=True).start()
        ended.wait()
    return 0


def check_headers(cloud: Cloud) -> int:
    """Compare the headers that the CDN's stand-in serves with the deployed policies. Returns an exit code."""
    cloudfront = cloud.deployment.client("cloudfront")
    number = cloud.deployment.outputs()["DistributionId"]
    config = cloudfront.get_distribution_config(Id=number)["DistributionConfig"]
    behaviours = [(each["PathPattern"], each) for each in config["CacheBehaviors"]["Items"]]
    behaviours.append(("*", config["DefaultCacheBehavior"]))
    for path in ("/", "/verify.html", "/v1/none"):
        behaviour = next(each for pattern, each in behaviours if fnmatch.fnmatchcase(path, pattern))
        policy = cloudfront.get_response_headers_policy_config(Id=behaviour["ResponseHeadersPolicyId"])
        expected = cdn.response_headers(policy["ResponseHeadersPolicyConfig"])
        served = headers_at(cloud.registry + path)
        if not expected.items() <= served.items():
            print(f"cloud: {path} has the headers {served}, wanted {expected}", file=sys.stderr)
            return 1
        print(f"{path:13} {expected['Content-Security-Policy']}", flush=True)
    return 0


def headers_at(url: str) -> dict[str, str]:
    """The headers at an address, also of an error answer."""
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return dict(answer.headers)
    except urllib.error.HTTPError as error:
        return dict(error.headers)


def check_enforced(cloud: Cloud) -> int:
    """A function whose role has lost its policy must be refused; then it gets it back."""
    iam, function = cloud.deployment.client("iam"), "publish"
    configuration = cloud.deployment.client("lambda").get_function_configuration(
        FunctionName=f"{STACK}-{function}"
    )
    role = configuration["Role"].rpartition("/")[2]
    names = {"RoleName": role, "PolicyName": iam.list_role_policies(RoleName=role)["PolicyNames"][0]}
    policy = json.dumps(iam.get_role_policy(**names)["PolicyDocument"])
    iam.delete_role_policy(**names)
    try:
        cloud.invoke(function)
    except DeployError as error:
        print(f"roles are enforced: without its policy {error}", flush=True)
        return 0
    finally:
        iam.put_role_policy(**names, PolicyDocument=policy)
    print("cloud: a function without rights was not refused", file=sys.stderr)
    return 1


def again(cloud: Cloud) -> int:
    """Deploy a second time: nothing may change."""
    second = Deployment(cloud.deployment.plan, cloud.endpoint, poll_s=0.2)
    second.run()
    if second.changed:
        print(f"cloud: deploying again changed {', '.join(second.changed)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
