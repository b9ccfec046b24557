"""A receiver of webhooks on this machine. It keeps what it got, and responds as a test wants."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Respond = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Received:
    """One request: its headers with names in lower case, and its body."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """The server. `responses` are used one after the other, and the last one for all further requests."""

    port: int
    scheme: str = "http"
    got: list[Received] = field(default_factory=list)
    responses: list[Respond] = field(default_factory=list)
    #: Set when the test ends, so that a response that hangs lets go.
    over: threading.Event = field(default_factory=threading.Event)

    def address(self, host: str = "127.0.0.1", path: str = "/hooks") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"

    def respond(self, *responses: Respond) -> None:
        self.responses[:] = responses


def status(code: int, body: bytes = b"", **headers: str) -> Respond:
    """Respond with a status, a body and headers. `_` in the name of a header stands for `-`."""

    def write(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return write


def close(handler: BaseHTTPRequestHandler) -> None:
    """Close the connection without a response."""
    handler.connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def receiving(context: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """Run a receiver on a free port of 127.0.0.1. With a context it speaks TLS."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            named = {name.lower(): value for name, value in self.headers.items()}
            receiver.got.append(Received(self.path, named, body))
            number = min(len(receiver.got), len(receiver.responses))
            respond = receiver.responses[number - 1] if number else status(204)
            self.close_connection = True
            with suppress(OSError):  # the sender closed the connection first
                respond(self)

        def log_message(self, *_arguments: Any) -> None: ...

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, *_arguments: Any) -> None: ...  # a refused certificate or a broken connection

    server = Server(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    receiver = Receiver(server.server_address[1], "http" if context is None else "https")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


def hang(receiver: Receiver) -> Respond:
    """Respond nothing until the test ends."""
    return lambda _handler: receiver.over.wait(60) and None  # type: ignore[func-returns-value]


def trickle(receiver: Receiver, *, headers_first: bool = False) -> Respond:
    """Send one byte after another, more slowly than any time limit and without ever pausing for long."""

    def write(handler: BaseHTTPRequestHandler) -> None:
        beginning = b"HTTP/1.1 200 OK\r\n" + (b"Content-Length: 100000\r\n\r\n" if headers_first else b"X-Long: ")
        handler.wfile.write(beginning)
        while not receiver.over.wait(0.05):
            handler.wfile.write(b"a")
            handler.wfile.flush()

    return write
