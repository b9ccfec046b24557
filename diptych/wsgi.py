"""The WSGI application that Granian (or any other WSGI server) runs."""

import os
import threading

from django.core.wsgi import get_wsgi_application

from diptych.environment import exit_if_wrong

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "diptych.settings")
exit_if_wrong()

application = get_wsgi_application()


def limit_lock_waits() -> None:
    """Limit how long connections of this process wait for a lock to LOCK_WAIT_MS.

    A request that waits occupies one of few threads. Workers and commands have no such limit and may wait.
    """
    from django.conf import settings
    from django.db import connections

    options = connections.settings["default"]["OPTIONS"]
    options["options"] += f" -c lock_timeout={settings.LOCK_WAIT_MS}"


def warn_in_production() -> None:
    """Log what an operator has to correct.

    This runs in a thread, so that an unreachable database does not delay the start.
    """
    from django.conf import settings

    if settings.PRODUCTION:
        from safety.officers import warn_without_officer

        threading.Thread(target=warn_without_officer, name="warn without officer", daemon=True).start()


limit_lock_waits()
warn_in_production()
