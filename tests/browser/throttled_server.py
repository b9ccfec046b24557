"""A real connection between browser and server that passes only some bytes of streamed media until it is opened."""

import socket
import threading
from contextlib import suppress
from urllib.parse import urlsplit

FREE_BYTES = 4096  # of every response: enough for its headers, or for a refusal
STEP = 65536


class ThrottledServer:
    """A server that listens at `address` and forwards everything.

    Until `open()` it forwards only `budget` bytes of media ranges in all.
    """

    def __init__(self, server: str, budget: int) -> None:
        target = urlsplit(server)
        self._target = (target.hostname, target.port)
        self._budget = budget
        self._change = threading.Condition()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def open(self) -> None:
        """Forward everything from now on."""
        with self._change:
            self._budget = 1 << 62
            self._change.notify_all()

    def close(self) -> None:
        self.open()
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target)
                flow = {"is_media": False, "passed": 0}
                for run in (self._ask, self._answer):
                    threading.Thread(target=run, args=(client, server, flow), daemon=True).start()

    def _ask(self, client: socket.socket, server: socket.socket, flow: dict[str, int]) -> None:
        with suppress(OSError), client, server:
            while asked := client.recv(STEP):
                flow["is_media"] = asked.startswith(b"GET /media/") and b"\r\nrange: " in asked.lower()
                flow["passed"] = 0
                server.sendall(asked)
            client.shutdown(socket.SHUT_RDWR)
            server.shutdown(socket.SHUT_RDWR)

    def _answer(self, client: socket.socket, server: socket.socket, flow: dict[str, int]) -> None:
        with suppress(OSError):
            while answered := server.recv(STEP):
                if flow["is_media"] and flow["passed"] >= FREE_BYTES:
                    self._take(len(answered))
                flow["passed"] += len(answered)
                client.sendall(answered)
            client.shutdown(socket.SHUT_RDWR)

    def _take(self, size: int) -> None:
        with self._change:
            self._change.wait_for(lambda: self._budget > 0)
            self._budget -= size
