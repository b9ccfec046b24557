"""A real connection between browser and server that is cut after so many uploaded bytes, until it is repaired."""

import socket
import threading
from contextlib import suppress
from urllib.parse import urlsplit

STEP = 65536


class CutConnection:
    """A server that listens at `address` and forwards everything. After `budget` bytes from the browser it cuts all."""

    def __init__(self, server: str, budget: int) -> None:
        target = urlsplit(server)
        self._target = (target.hostname, target.port)
        self._budget = budget
        self._lock = threading.Lock()
        self._sockets: set[socket.socket] = set()
        self.is_cut = threading.Event()
        #: Bytes that the browser has sent, headers included.
        self.sent = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def mend(self) -> None:
        """Forward everything from now on."""
        self._budget = 1 << 62
        self.is_cut.clear()

    def close(self) -> None:
        self._listener.close()
        self._break()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target)
                with self._lock:
                    self._sockets |= {client, server}
                    if self.is_cut.is_set():
                        self._end(client, server)
                for run, ends in ((self._up, (client, server)), (self._down, (server, client))):
                    threading.Thread(target=run, args=ends, daemon=True).start()

    def _up(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while came := client.recv(STEP):
                self.sent += len(came)
                if self.sent > self._budget:
                    self.is_cut.set()
                    self._break()
                server.sendall(came)
        self._end(client, server)

    def _down(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while came := server.recv(STEP):
                client.sendall(came)
        self._end(client, server)

    def _break(self) -> None:
        with self._lock:
            self._end(*self._sockets)

    @staticmethod
    def _end(*sockets: socket.socket) -> None:
        """End connections for readers in other threads too: only closing would leave them waiting."""
        for end in sockets:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
