"""Django's engine for PostgreSQL, which sees for itself whether a kept connection still stands.

With `CONN_HEALTH_CHECKS`, Django asks the server `SELECT 1` at the start of each request. A server that has gone away
has closed the connection, which this end can see without asking.
"""

import select

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    def is_usable(self) -> bool:
        """Whether the connection can be used. The server is only asked if there is something to read from it: a kept
        connection between two requests has nothing to say but that it ends."""
        if self.connection is None or self.connection.closed:
            return False
        waiting = select.poll()
        waiting.register(self.connection.fileno(), select.POLLIN)
        return bool(super().is_usable()) if waiting.poll(0) else True
