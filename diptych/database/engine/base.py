"""Django's engine for PostgreSQL, which sees for itself whether a kept connection still stands.

With `CONN_HEALTH_CHECKS`, Django asks the server `SELECT 1` at the start of each request. A server that has gone away
has closed the connection, which this end can see without asking.
"""

import select

from django.core.management import CommandError
from django.db.backends.postgresql import base

#: A table that only databases of the layout before the first release have: one app held what are five now.
OLDER_LAYOUT = "SELECT to_regclass('catalog_study') IS NOT NULL"


class DatabaseWrapper(base.DatabaseWrapper):
    def is_usable(self) -> bool:
        """Whether the connection can be used. The server is only asked if there is something to read from it: a kept
        connection between two requests has nothing to say but that it ends."""
        if self.connection is None or self.connection.closed:
            return False
        waiting = select.poll()
        waiting.register(self.connection.fileno(), select.POLLIN)
        return bool(super().is_usable()) if waiting.poll(0) else True

    def prepare_database(self) -> None:
        """Refuse to migrate a database of the older layout. Raises CommandError."""
        super().prepare_database()
        with self.cursor() as cursor:
            cursor.execute(OLDER_LAYOUT)
            if cursor.fetchone()[0]:
                raise CommandError(
                    "This database has the tables of an older layout, from before the first release, and they cannot "
                    "be brought up to date. For the demo, delete its data with `make demo-reset` and start again. Of "
                    "a database of your own, make a new one and import the material again."
                )
