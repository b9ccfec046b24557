"""The WSGI application that Granian (or any other WSGI server) runs."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "diptych.settings")

application = get_wsgi_application()
