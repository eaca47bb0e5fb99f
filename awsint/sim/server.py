"""The endpoint: who calls, what goes wrong, and which part answers.

A plain client of the SDK with AWS_ENDPOINT_URL set talks to this for everything. `/_sim/` steers the simulator from
outside; it is meant for loopback alone and asks for nothing.
"""

import json
import re
import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

from awsint.sim import health, support
from awsint.sim.events import name_everybody
from awsint.sim.organizations import OPERATIONS as ORGANIZATIONS
from awsint.sim.support import OPERATIONS as SUPPORT
from awsint.sim.wire import ApiError, decode, encode
from awsint.sim.world import HUB, World

Environ = dict[str, Any]
Start = Callable[[str, list[tuple[str, str]]], Any]
TARGETS: dict[str, tuple[str, dict[str, Any]]] = {
    "AWSSupport_20130415": ("support", SUPPORT),
    "AWSOrganizationsV20161128": ("organizations", ORGANIZATIONS),
    "AWSHealth_20160804": ("health", health.OPERATIONS),
}
# Links on one's own machine are no https, and the model of Organizations knows ARNs of one partition alone.
LOOSE = frozenset({"url", "Arn", "MasterAccountArn"})
# How moto's services refuse, by the kind of a fault.
REFUSED = {"denied": "AccessDeniedException", "deleted-recently": "QueueDeletedRecently"}
SKEW_ALLOWED = timedelta(minutes=5)
SCOPE = re.compile(r"Credential=([^/]+)/[^/]*/([^/]*)/([^/]*)/")


class App:
    """The WSGI application."""

    def __init__(self, world: World) -> None:
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

        self.world = world
        self.moto = DomainDispatcherApplication(create_backend_app)

    def __call__(self, environ: Environ, start: Start) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        for begin, answer in (("/_sim/", self._steer), ("/_files/", self._give), ("/_uploads/", self._take)):
            if path.startswith(begin):
                return answer(environ, start, path.removeprefix(begin))
        target, _dot, operation = environ.get("HTTP_X_AMZ_TARGET", "").partition(".")
        if target in TARGETS:
            return self._ours(environ, start, *TARGETS[target], operation)
        if _scope(environ)[2] == "sts":
            return self._sts(environ, start)
        return self._motos(environ, start, operation)

    def _motos(self, environ: Environ, start: Start, operation: str) -> Iterable[bytes]:
        """Buses and queues; what goes wrong there has to be named by its operation."""
        world = self.world
        world.wait()
        meant = any(one.operation == operation for one in world.faults)
        if fault := world.meets("", operation, *REFUSED) if meant else None:
            code = REFUSED[fault.kind]
            told = json.dumps({"__type": code, "message": f"{code}: {operation}"}).encode()
            return _answer(start, 400, told, ("x-amzn-ErrorType", code))
        answer: Iterable[bytes] = self.moto(environ, start)
        if operation == "PutPermission":
            name_everybody(_scope(environ)[1])
        return answer

    # Our own services

    def _ours(
        self, environ: Environ, start: Start, service: str, operations: dict[str, Any], operation: str
    ) -> Iterable[bytes]:
        body, world = _body(environ), self.world
        try:
            world.wait()
            account = world.who(_scope(environ)[0])
            world.calls.append((account.number, operation))
            self._disturb(account.number, operation, environ)
            if service in ("support", "health"):
                support.allowed(account)
            given = decode(service, operation, body) | {"here": f"http://{environ['HTTP_HOST']}"}
            if operation not in operations:
                raise ApiError("UnknownOperationException", status=404)
            with world.lock:
                answer = operations[operation](world, account, given)
            self._disturb_afterwards(account.number, operation)
            return _answer(start, 200, encode(service, operation, answer, LOOSE))
        except ApiError as error:
            told = json.dumps({"__type": error.code, "message": error.text}).encode()
            return _answer(start, error.status, told, ("x-amzn-ErrorType", error.code))

    def _disturb(self, account: str, operation: str, environ: Environ) -> None:
        fault = self.world.meets(account, operation, "throttle", "error", "hang", "expired", "denied")
        if fault:
            if fault.kind == "hang":
                time.sleep(fault.seconds)
            raise {
                "throttle": ApiError("ThrottlingException", "Rate exceeded"),
                "expired": ApiError("ExpiredTokenException", "The security token included in the request is expired"),
                "denied": ApiError("AccessDeniedException", f"not authorized to perform: support:{operation}"),
            }.get(fault.kind, ApiError("InternalServerError", status=500))
        signed = environ.get("HTTP_X_AMZ_DATE")
        if signed and self.world.skew:
            at = datetime.strptime(signed, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            if abs(self.world.now() - at) > SKEW_ALLOWED:
                raise ApiError("RequestExpired", "Request has expired", 403)

    def _disturb_afterwards(self, account: str, operation: str) -> None:
        """It happened, and nobody hears so."""
        fault = self.world.meets(account, operation, "commit-then-500", "commit-then-hang")
        if fault:
            if fault.kind == "commit-then-hang":
                time.sleep(fault.seconds)
            raise ApiError("InternalServerError", status=500)

    # Credentials

    def _sts(self, environ: Environ, start: Start) -> Iterable[bytes]:
        body = _body(environ)
        asked = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        self.world.wait()
        try:
            if self.world.meets("", "AssumeRole", "sts-down"):
                raise ApiError("ServiceUnavailable", status=503)
            if asked.get("Action") == "AssumeRole":
                account = self.world.may_assume(asked["RoleArn"], asked.get("ExternalId"))
                if "SourceIdentity" in asked and not account.takes_person:
                    raise ApiError("AccessDenied", "not authorized to perform: sts:SetSourceIdentity", 403)
                return self._lent(environ, start, body, account.number, int(asked.get("DurationSeconds", 3600)))
            self.world.who(_scope(environ)[0])
        except ApiError as error:
            return _answer(start, error.status, _xml(error), content="text/xml")
        return self._moto(environ, start, body)

    def _lent(self, environ: Environ, start: Start, body: bytes, account: str, seconds: int) -> Iterable[bytes]:
        answer = b"".join(self._moto(environ, start, body))
        key = re.search(rb"<AccessKeyId>([^<]+)</AccessKeyId>", answer)
        if key:
            self.world.lend(key[1].decode(), account, seconds)
        return [answer]

    def _moto(self, environ: Environ, start: Start, body: bytes) -> Iterable[bytes]:
        from io import BytesIO

        return self.moto(environ | {"wsgi.input": BytesIO(body)}, start)  # type: ignore[no-any-return]

    # Files

    def _give(self, environ: Environ, start: Start, number: str) -> Iterable[bytes]:
        file = self.world.files.get(number)
        if file is None or environ["REQUEST_METHOD"] != "GET":
            return _answer(start, 403, b"", content="text/plain")
        return _answer(start, 200, file.data, content="application/octet-stream")

    def _take(self, environ: Environ, start: Start, rest: str) -> Iterable[bytes]:
        number, _slash, part = rest.partition("/")
        upload = self.world.uploads.get(number)
        if upload is None or environ["REQUEST_METHOD"] != "PUT" or not part.isdecimal():
            return _answer(start, 403, b"", content="text/plain")
        upload.parts[int(part)] = _body(environ)
        return _answer(start, 200, b"", ("ETag", f'"{part}"'), content="text/plain")

    # Steering

    def _steer(self, environ: Environ, start: Start, what: str) -> Iterable[bytes]:
        from awsint.sim import steering

        try:
            answer = steering.steer(self.world, what, json.loads(_body(environ) or b"{}"))
        except (KeyError, TypeError, ValueError, ApiError) as error:
            return _answer(start, 422, json.dumps({"error": f"{type(error).__name__}: {error}"}).encode())
        return _answer(start, 200, json.dumps(answer).encode())


def _scope(environ: Environ) -> tuple[str, str, str]:
    """Access key, region and service that a request is signed for."""
    found = SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    return (found[1], found[2], found[3]) if found else ("", "", "")


def _body(environ: Environ) -> bytes:
    length = environ.get("CONTENT_LENGTH")
    read: bytes = environ["wsgi.input"].read(int(length)) if length else b""
    return read


def _answer(
    start: Start, status: int, body: bytes, *headers: tuple[str, str], content: str = "application/x-amz-json-1.1"
) -> list[bytes]:
    reasons = {200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found"}
    told = [("Content-Type", content), ("Content-Length", str(len(body))), *headers]
    start(f"{status} {reasons.get(status, 'Answer')}", told)
    return [body]


def _xml(error: ApiError) -> bytes:
    return (
        '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>'
        f"<Code>{error.code}</Code><Message>{error.text}</Message></Error><RequestId>0</RequestId></ErrorResponse>"
    ).encode()


class Server:
    """The simulator on a port of loopback, served by threads."""

    def __init__(self, world: World | None = None, port: int = 0, fd: int | None = None) -> None:
        from werkzeug.serving import WSGIRequestHandler, make_server

        class Quiet(WSGIRequestHandler):
            protocol_version = "HTTP/1.1"

            def log(self, type: str, message: str, *args: Any) -> None:
                return

        self.world = world or World()
        self.http = make_server("127.0.0.1", port, App(self.world), threaded=True, request_handler=Quiet, fd=fd)
        self.thread = threading.Thread(target=self.http.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http.socket.getsockname()[1]}"

    def start(self) -> "Server":
        self.thread.start()
        return self

    def stop(self) -> None:
        self.http.shutdown()
        self.http.server_close()


__all__ = ["HUB", "App", "Server"]
