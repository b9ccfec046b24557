from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "catalog"

    def ready(self) -> None:
        from catalog import sweeps  # noqa: F401 - notes when periodic tasks end
