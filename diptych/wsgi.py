"""The WSGI application that Granian (or any other WSGI server) runs."""

import os
import threading

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "diptych.settings")

application = get_wsgi_application()

if settings.PRODUCTION:
    from catalog.officers import warn_without_officer

    # In a thread, so that a database which is away does not hold up the start.
    threading.Thread(target=warn_without_officer, name="warn without officer", daemon=True).start()
