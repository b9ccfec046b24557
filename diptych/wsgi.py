"""The WSGI application that Granian (or any other WSGI server) runs."""

import os

from django.core.wsgi import get_wsgi_application

from diptych.environment import exit_if_wrong

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "diptych.settings")
# A request that waits keeps one of few threads; workers and commands, which have no such limit, may wait. An empty
# variable counts as one that is not set.
os.environ["DATABASE_LOCK_WAIT_MS"] = os.environ.get("DATABASE_LOCK_WAIT_MS", "").strip() or "2000"
exit_if_wrong()

application = get_wsgi_application()
