"""A stand-in for the CDN, on a port of this machine, made from the template's own distribution.

It adds to the local cloud's CloudFront: one cache, whose key is the path after the function; fail-over of the
origin group; error pages, and how long errors are cached. The function runs under node. Only CloudFront
itself can show its normalising of paths, compression, TLS, and whether OAC lets the CDN in.
"""

import fnmatch
import json
import re
import subprocess
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from template import Template

ROOT = Path(__file__).resolve().parents[1]
ENGINE = ROOT / "infra/cdn/engine.mjs"
FUNCTION = ROOT / "infra/cdn/viewer-request.js"

_MAX_AGE = re.compile(r"max-age=([0-9]+)")
_CACHE_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, whole: status, headers, body."""

    status: int
    headers: dict[str, str]
    body: bytes


class Edge:
    """The function, in a process of its own: one event at a time."""

    def __init__(self) -> None:
        command = ["node", str(ENGINE), str(FUNCTION)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._lock = threading.Lock()

    def run(self, event: dict[str, Any]) -> dict[str, Any]:
        """The request that goes on, or an answer."""
        with self._lock:
            assert self._process.stdin
            assert self._process.stdout
            self._process.stdin.write(json.dumps(event) + "\n")
            self._process.stdin.flush()
            returned: dict[str, Any] = json.loads(self._process.stdout.readline())
        return returned

    def close(self) -> None:
        """End the process that runs the function, and wait up to 10 s for it."""
        self._process.terminate()
        self._process.wait(10)


class Distribution:
    """One distribution of the template, over a bucket and the function that proves."""

    def __init__(self, template: Template, s3: Any, bucket: str, prove: "Prove") -> None:
        resources = template["Resources"]
        self._config = resources["Cdn"]["Properties"]["DistributionConfig"]
        self._policy = resources["ByPath"]["Properties"]["CachePolicyConfig"]
        self._errors = {each["ErrorCode"]: each for each in self._config["CustomErrorResponses"]}
        self._headers = {
            name: response_headers(resource["Properties"]["ResponseHeadersPolicyConfig"])
            for name, resource in resources.items()
            if resource["Type"] == "AWS::CloudFront::ResponseHeadersPolicy"
        }
        self._s3, self._bucket, self._prove = s3, bucket, prove
        self._cache: dict[str, tuple[float, Answer]] = {}
        self._edge = Edge()
        self.asked: list[str] = []
        """Requests to origins, in order: tests see from it which answers came from the cache."""

    def close(self) -> None:
        """End the process that runs the function."""
        self._edge.close()

    def answer(self, method: str, path: str, query: str | None, request_id: str) -> Answer:
        """The answer that a viewer gets. `query`: the raw query string, None without a `?`."""
        behaviour = self._behaviour(path)
        if method not in behaviour["AllowedMethods"]:
            return Answer(403, {}, b"")  # CloudFront's own answer, before the function
        event = {
            "version": "1.0",
            "context": {"eventType": "viewer-request", "requestId": request_id},
            "request": {"method": method, "uri": path, "querystring": {}, "headers": {}, "cookies": {}},
            "rawQuery": query,
        }
        returned = self._edge.run(event)
        if "statusCode" in returned:
            headers = {name: value["value"] for name, value in returned["headers"].items()}
            return Answer(returned["statusCode"], headers, returned.get("body", {}).get("data", "").encode())
        answer = self._cached(returned["uri"], behaviour)
        headers = self._headers[behaviour["ResponseHeadersPolicyId"]["Ref"]]
        return Answer(answer.status, answer.headers | headers, answer.body)

    def _behaviour(self, path: str) -> dict[str, Any]:
        """The cache behaviour, chosen by the path as it came, before the function changes it."""
        for each in self._config["CacheBehaviors"]:
            if fnmatch.fnmatchcase(path, each["PathPattern"]):
                return dict(each)
        return dict(self._config["DefaultCacheBehavior"])

    def _cached(self, uri: str, behaviour: dict[str, Any]) -> Answer:
        now = time.monotonic()
        until, known = self._cache.get(uri, (0.0, None))
        if known is not None and now < until:
            return Answer(known.status, known.headers | {"X-Cache": "Hit"}, known.body)
        answer = self._origin(uri, behaviour)
        error = self._errors.get(answer.status)
        if error and (page := error.get("ResponsePagePath")):
            page_answer = self._object(page)
            if page_answer.status == 200:
                answer = Answer(error["ResponseCode"], page_answer.headers, page_answer.body)
        if len(self._cache) >= _CACHE_MAX:
            self._cache.clear()
        self._cache[uri] = (now + self._kept(answer), answer)
        return Answer(answer.status, answer.headers | {"X-Cache": "Miss"}, answer.body)

    def _kept(self, answer: Answer) -> float:
        """Seconds for which the cache keeps an answer."""
        if answer.status >= 400:
            return float(self._errors.get(answer.status, {}).get("ErrorCachingMinTTL", 10))
        match = _MAX_AGE.search(answer.headers.get("Cache-Control", ""))
        max_age = int(match[1]) if match else self._policy["DefaultTTL"]
        return float(min(max(max_age, self._policy["MinTTL"]), self._policy["MaxTTL"]))

    def _origin(self, uri: str, behaviour: dict[str, Any]) -> Answer:
        """The bucket's answer, or the second origin's if the first fails in a way that the group lists."""
        first = self._object(uri)
        groups = {each["Id"]: each for each in self._config["OriginGroups"]["Items"]}
        group = groups.get(behaviour["TargetOriginId"])
        if group is None or first.status not in group["FailoverCriteria"]["StatusCodes"]["Items"]:
            return first
        self.asked.append(f"prove {uri}")
        return self._prove(uri)

    def _object(self, uri: str) -> Answer:
        self.asked.append(f"objects {uri}")
        try:
            stored = self._s3.get_object(Bucket=self._bucket, Key=uri.removeprefix("/"))
        except ClientError as error:
            # A missing object is 404 only because the bucket's policy lets the CDN list.
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            return Answer(status, {"Content-Type": "application/xml"}, str(error).encode())
        headers = {
            "Content-Type": stored["ContentType"],
            "Cache-Control": stored.get("CacheControl", ""),
            "ETag": stored["ETag"],
        }
        return Answer(200, headers, stored["Body"].read())


class Prove:
    """The function that proves, called with the event that its function URL would make of a request."""

    def __init__(self, client: Any, function: str) -> None:
        self._client, self._function = client, function

    def __call__(self, uri: str) -> Answer:
        """The function's answer for a path."""
        event = {
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": uri,
            "rawQueryString": "",
            "headers": {"via": "2.0 stand-in"},
            "requestContext": {
                "requestId": "stand-in",
                "stage": "$default",
                "http": {"method": "GET", "path": uri, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1"},
            },
            "isBase64Encoded": False,
        }
        answer = self._client.invoke(FunctionName=self._function, Payload=json.dumps(event).encode())
        payload = json.loads(answer["Payload"].read())
        if answer.get("FunctionError"):
            return Answer(502, {}, str(payload).encode())
        return Answer(payload["statusCode"], dict(payload["headers"]), payload["body"].encode())


def response_headers(policy: dict[str, Any]) -> dict[str, str]:
    """The headers that a response headers policy sets."""
    security = policy["SecurityHeadersConfig"]
    transport = security["StrictTransportSecurity"]
    return {
        "Access-Control-Allow-Origin": ", ".join(policy["CorsConfig"]["AccessControlAllowOrigins"]["Items"]),
        "X-Content-Type-Options": "nosniff",
        "Strict-Transport-Security": f"max-age={transport['AccessControlMaxAgeSec']}; includeSubDomains",
        "Referrer-Policy": security["ReferrerPolicy"]["ReferrerPolicy"],
        "X-Frame-Options": security["FrameOptions"]["FrameOption"],
        "Content-Security-Policy": security["ContentSecurityPolicy"]["ContentSecurityPolicy"],
    }


def serve(distribution: Distribution, port: int) -> ThreadingHTTPServer:
    """Answers at 127.0.0.1, from `serve_forever` until `shutdown`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        server_version = "stand-in"

        def _do(self) -> None:
            path, mark, query = self.path.partition("?")
            answer = distribution.answer(self.command, path, query if mark else None, f"req_{time.time_ns()}")
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if answer.status not in (204, 304):
                self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body)

        do_GET = do_HEAD = do_OPTIONS = do_POST = do_PUT = do_DELETE = _do  # noqa: N815

        def log_message(self, *arguments: object) -> None:
            """Leave standard error alone: a log line for each request would drown the demo."""

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)
