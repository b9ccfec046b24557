"""Django's engine for PostgreSQL, with a cheaper check whether a kept connection still works.

With `CONN_HEALTH_CHECKS`, Django sends the server `SELECT 1` at the start of each request. A server that has gone away
has closed the connection, and this end can see that without asking.
"""

import select

from django.core.management import CommandError
from django.db.backends.postgresql import base

#: This table exists only in databases from before the first release. One app then had the tables of what are five apps
#: now.
OLDER_LAYOUT = "SELECT to_regclass('catalog_study') IS NOT NULL"


class DatabaseWrapper(base.DatabaseWrapper):
    def is_usable(self) -> bool:
        """Return whether the connection can be used.

        The server is asked only if there is something to read. On an idle connection that can only be news of its end.
        """
        if self.connection is None or self.connection.closed:
            return False
        waiting = select.poll()
        waiting.register(self.connection.fileno(), select.POLLIN)
        return bool(super().is_usable()) if waiting.poll(0) else True

    def prepare_database(self) -> None:
        """Refuse to migrate a database with the older layout. Raises CommandError."""
        super().prepare_database()
        with self.cursor() as cursor:
            cursor.execute(OLDER_LAYOUT)
            if cursor.fetchone()[0]:
                raise CommandError(
                    "This database has the tables of an older layout, from before the first release, and they cannot "
                    "be brought up to date. For the demo, delete its data with `make demo-reset` and start again. In "
                    "place of a database of your own, create a new one and import the material again."
                )
