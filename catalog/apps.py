from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "catalog"

    def ready(self) -> None:
        from accounts.tokens import scope_rules
        from catalog import sweeps  # noqa: F401 - notes when periodic tasks end
        from catalog.permissions import usable_scopes

        scope_rules.append(usable_scopes)
