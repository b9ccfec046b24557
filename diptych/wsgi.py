"""The WSGI application that Granian (or any other WSGI server) runs."""

import os
import threading

from django.core.wsgi import get_wsgi_application

from diptych.environment import exit_if_wrong

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "diptych.settings")
exit_if_wrong()

application = get_wsgi_application()


def bound_lock_waits() -> None:
    """Let connections of this process wait for a lock no longer than LOCK_WAIT_MS.

    A request that waits keeps one of few threads. Workers and commands, which have no such limit, may wait.
    """
    from django.conf import settings
    from django.db import connections

    options = connections.settings["default"]["OPTIONS"]
    options["options"] += f" -c lock_timeout={settings.LOCK_WAIT_MS}"


def warn_in_production() -> None:
    """Log what an operator has to see to. In a thread, so that a database that is away does not hold up the start."""
    from django.conf import settings

    if settings.PRODUCTION:
        from safety.officers import warn_without_officer

        threading.Thread(target=warn_without_officer, name="warn without officer", daemon=True).start()


bound_lock_waits()
warn_in_production()
