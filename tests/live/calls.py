"""HTTP calls that reach the server at the same moment."""

import json
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from http.client import HTTPResponse
from http.cookies import SimpleCookie
from typing import Any, NamedTuple

COOKIE, DEVICE_COOKIE = "refreshToken", "deviceId"
TIMEOUT_SECONDS = 60


class Credentials(NamedTuple):
    """What somebody signs in with."""

    email: str
    password: str


@dataclass(frozen=True)
class Call:
    """One HTTP call."""

    method: str
    path: str
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)

    def encode(self) -> bytes:
        """Return the bytes of the request."""
        body = b"" if self.method == "GET" else json.dumps(self.body or {}).encode()
        fields = {
            "Host": "127.0.0.1",
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            **{name.replace("_", "-"): value for name, value in self.headers.items()},
        }
        lines = [f"{self.method} {self.path} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in fields.items()]
        return "\r\n".join([*lines, "", ""]).encode() + body


class Answer(NamedTuple):
    """What came back."""

    status: int
    body: Any
    cookie: str | None
    retry_after: str | None
    device: str | None

    @property
    def code(self) -> str | None:
        """The error's code; None for success."""
        code: str | None = (self.body.get("error") or {}).get("code")
        return code

    @property
    def data(self) -> Any:
        """The data of a success."""
        assert self.body["success"], self.body
        return self.body["data"]


def send(calls: Sequence[tuple[int, Call]]) -> list[Answer]:
    """Send calls to ports of this machine at once and return the answers in the same order.

    All connections stand and all requests lie there but for their last byte; then the last bytes
    go out one after the other, within a millisecond.
    """
    encoded = [call.encode() for _, call in calls]
    sockets = [_connect(port) for port, _ in calls]
    try:
        for connection, request in zip(sockets, encoded, strict=True):
            connection.sendall(request[:-1])
        for connection, request in zip(sockets, encoded, strict=True):
            connection.sendall(request[-1:])
        return [read_answer(connection) for connection in sockets]
    finally:
        for connection in sockets:
            connection.close()


def _connect(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), TIMEOUT_SECONDS)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def read_answer(connection: socket.socket) -> Answer:
    """Read the answer to what was sent on a connection."""
    response = HTTPResponse(connection)
    response.begin()
    body = json.loads(response.read())
    jar: SimpleCookie = SimpleCookie()
    for written in response.headers.get_all("Set-Cookie", []):
        jar.load(written)
    set_cookies = {name: morsel.value for name, morsel in jar.items()}
    return Answer(
        response.status,
        body,
        set_cookies.get(COOKIE),
        response.getheader("Retry-After"),
        set_cookies.get(DEVICE_COOKIE),
    )


def login(person: Credentials, **fields: object) -> Call:
    """Sign in."""
    body = {"email": person.email, "password": person.password, **fields}
    return Call("POST", "/v1/auth/login", body)


def login_on(device: str | None, person: Credentials) -> Call:
    """Sign in in a browser that is known."""
    cookie = {"Cookie": f"{DEVICE_COOKIE}={device}"}
    return replace(login(person), headers=cookie)


def refresh(cookie: str | None) -> Call:
    """Refresh as a browser does."""
    return Call("POST", "/v1/auth/refresh", headers={"Cookie": f"{COOKIE}={cookie}"})


def logout(cookie: str | None) -> Call:
    """Sign out as a browser does."""
    return Call("POST", "/v1/auth/logout", headers={"Cookie": f"{COOKIE}={cookie}"})


def me(access_token: str) -> Call:
    """Ask who is signed in."""
    return Call("GET", "/v1/auth/me", headers=bearer(access_token))


def bearer(token: str) -> dict[str, str]:
    """Return the header that carries a token."""
    return {"Authorization": f"Bearer {token}"}
