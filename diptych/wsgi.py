"""The WSGI application that Granian (or any other WSGI server) runs."""

import os

from django.core.wsgi import get_wsgi_application

from diptych.environment import exit_if_wrong

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "diptych.settings")
exit_if_wrong()

application = get_wsgi_application()
