"""Django's settings for the database, from its address."""

import dj_database_url
from psycopg.conninfo import make_conninfo


def connection_settings(url: str) -> dict[str, object]:
    """Return Django's settings for a `postgresql://user:password@host:port/name?option=value` address.

    An option is a connection parameter of PostgreSQL, such as `sslmode`. It overrides our own of the same name. Raises
    psycopg.Error for one that PostgreSQL does not know.
    """
    parsed = dj_database_url.parse(url or "postgresql://", conn_max_age=None, conn_health_checks=True)
    given = parsed.get("OPTIONS", {})
    make_conninfo(**given)
    return {
        **parsed,
        "ENGINE": "diptych.database.engine",
        "NAME": parsed["NAME"] or "diptych",
        "HOST": parsed["HOST"] or "127.0.0.1",
        "PORT": str(parsed["PORT"] or 5432),
        # Connections are persistent (CONN_MAX_AGE is None). Each thread keeps its own, so a pool would only add a step.
        "OPTIONS": {
            "connect_timeout": 10,
            "application_name": "diptych",
            # Notice a database host that has vanished within half a minute, instead of two hours.
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 4,
            "tcp_user_timeout": 30_000,  # milliseconds
            # For `diptych.database.fixed`: a statement is planned once per connection, not once per request.
            "prepare_threshold": 3,
            **given,
            "options": f"-c plan_cache_mode=force_generic_plan {given.get('options', '')}".rstrip(),
        },
    }
