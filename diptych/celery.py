"""The Celery app. Its queues are `default`, and `media` for tasks that keep a processor busy."""

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging

from diptych.environment import exit_if_wrong

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "diptych.settings")
exit_if_wrong()  # here, since Celery itself would print a traceback

app = Celery("diptych")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_logging(**_: Any) -> None:
    """Leave logging as the settings have it, so that LOG_LEVEL holds in workers and beat too."""
