from django.apps import AppConfig


class DiptychConfig(AppConfig):
    name = "diptych"

    def ready(self) -> None:
        # Here rather than in __init__, so that the embedded servers' guard starts without Celery and Django.
        from diptych import celery  # noqa: F401
