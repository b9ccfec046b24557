"""The WSGI application that Granian (or any other WSGI server) runs."""

import os
import threading

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from diptych.environment import exit_if_wrong

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "diptych.settings")
# A request that waits keeps one of few threads; workers and commands, which have no such limit, may wait. An empty
# variable counts as one that is not set.
os.environ["DATABASE_LOCK_WAIT_MS"] = os.environ.get("DATABASE_LOCK_WAIT_MS", "").strip() or "2000"
exit_if_wrong()

application = get_wsgi_application()

if settings.PRODUCTION:
    from catalog.officers import warn_without_officer

    # In a thread, so that a database which is away does not hold up the start.
    threading.Thread(target=warn_without_officer, name="warn without officer", daemon=True).start()
