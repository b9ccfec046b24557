"""The Django project: settings, addresses, the Celery app and the embedded servers. No domain code."""

__version__ = "0.1.0"
