"""The Celery app. Queues: `default`, and `media` for what takes a processor."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "diptych.settings")

app = Celery("diptych")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
