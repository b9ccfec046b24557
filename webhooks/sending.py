"""Send one request to an address that a person entered, and never into a network that is not allowed.

The name is looked up once. Each address of it is checked, and the connection is opened to a checked one, while TLS and
the header `Host` keep the name. So the name cannot lead somewhere else between the check and the connection. Redirects
are not followed. Looking up, connecting, sending and reading share one time limit, so a receiver that sends single
bytes cannot hold a worker. A few kilobytes of the response are read.
"""

import socket
import ssl
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import httpcore2

from webhooks import networks
from webhooks.models import LONGEST_EXCERPT, Delivery
from webhooks.policy import LONGEST_ATTEMPT_S

Problem = Delivery.Problem

#: The most bytes of a response that are read.
MOST_READ = 4096


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request: a problem, or none, and what the receiver responded, if it did."""

    problem: str
    status: int | None = None
    excerpt: str = ""


class NotAllowed(Exception):
    """An address of the host is in a network that webhooks may not reach."""


class NotFound(Exception):
    """The host has no address."""


class NotTrusted(Exception):
    """TLS failed, for example because the certificate is that of another host."""


class Deadline:
    """A moment at which everything must have ended."""

    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds

    def left_s(self) -> float:
        """Return the seconds that are left. Raise ReadTimeout if there are none."""
        left = self._at - time.monotonic()
        if left <= 0:
            raise httpcore2.ReadTimeout
        return left


def addresses_of(host: str, port: int, deadline: Deadline) -> list[str]:
    """Return the addresses of a host, each once. Raise NotFound, or ReadTimeout if no name server responds in time.

    Looking up has no time limit of its own, so another thread does it.
    """
    found: list[str] = []

    def look_up() -> None:
        try:
            entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return
        found.extend(dict.fromkeys(str(entry[4][0]) for entry in entries))

    thread = threading.Thread(target=look_up, name="look up a host", daemon=True)
    thread.start()
    thread.join(deadline.left_s())
    if thread.is_alive():
        raise httpcore2.ReadTimeout
    if not found:
        raise NotFound
    return found


class LimitedStream(httpcore2.NetworkStream):
    """A connection whose every step ends by the deadline."""

    def __init__(self, stream: httpcore2.NetworkStream, deadline: Deadline) -> None:
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.left_s())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.left_s())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        try:
            inner = self._stream.start_tls(ssl_context, server_hostname, self._deadline.left_s())
        except httpcore2.ConnectError as error:
            raise NotTrusted from error
        return LimitedStream(inner, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class CheckedNetwork(httpcore2.SyncBackend):
    """Opens connections only to addresses that webhooks may reach."""

    def __init__(self, deadline: Deadline, *, encrypted: bool) -> None:
        self.deadline, self.encrypted = deadline, encrypted

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        """Connect to the first address of the host that accepts. Raise NotAllowed if one of them may not be reached."""
        found = addresses_of(host, port, self.deadline)
        if not all(networks.may_reach(networks.read(one), encrypted=self.encrypted) for one in found):
            raise NotAllowed
        for number, address in enumerate(found, start=1):
            share_s = self.deadline.left_s() / (len(found) - number + 1)
            try:
                stream = super().connect_tcp(address, port, share_s, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                if number == len(found):
                    raise
            else:
                return LimitedStream(stream, self.deadline)
        raise NotFound


def post(address: str, headers: dict[str, str], body: bytes, *, within_s: float = LONGEST_ATTEMPT_S) -> Outcome:
    """Send a body to an address with POST, and return what became of it within `within_s` seconds.

    As soon as there is a status, it decides. The rest of the response is only an excerpt for people.
    """
    url = httpcore2.URL(address)
    network = CheckedNetwork(Deadline(within_s), encrypted=url.scheme == b"https")
    context = ssl.create_default_context()
    status: int | None = None
    read = b""
    try:
        with (
            httpcore2.ConnectionPool(ssl_context=context, network_backend=network) as pool,
            pool.stream("POST", url, headers=[("Host", _host(url)), *headers.items()], content=body) as response,
        ):
            status = response.status
            for part in response.iter_stream():
                read += part
                if len(read) >= MOST_READ:
                    break
    except NotAllowed:
        return Outcome(Problem.PRIVATE)
    except NotFound:
        return Outcome(Problem.NO_NAME)
    except NotTrusted:
        return Outcome(Problem.TLS)
    except (httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError) as error:
        if status is None:
            return Outcome(_problem_without_response(error))
    return Outcome(_problem_of(status), status, _excerpt(read))


def _host(url: httpcore2.URL) -> str:
    """Return the header `Host`: the name, and the port if the scheme has another one."""
    name = url.host.decode()
    shown = f"[{name}]" if ":" in name else name
    return shown if url.port is None else f"{shown}:{url.port}"


def _problem_without_response(error: Exception) -> str:
    if isinstance(error, httpcore2.TimeoutException):
        return Problem.TOO_SLOW
    if isinstance(error, httpcore2.ConnectError):
        return Problem.NOT_CONNECTED
    return Problem.BROKEN


def _problem_of(status: int) -> str:
    if 200 <= status < 300:
        return ""
    if status == 410:
        return Problem.GONE
    return Problem.REDIRECT if 300 <= status < 400 else Problem.STATUS


def _excerpt(read: bytes) -> str:
    """Return the beginning of a response as text that PostgreSQL can store and a page can show."""
    text = read.decode(errors="replace")
    return "".join(one if one.isprintable() or one in "\n\t" else " " for one in text)[:LONGEST_EXCERPT].strip()
