"""The WSGI application that Granian (or any other WSGI server) runs."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "diptych.settings")
# A request that waits keeps one of few threads; workers and commands, which have no such limit, may wait.
os.environ.setdefault("DATABASE_LOCK_WAIT_MS", "2000")

application = get_wsgi_application()
