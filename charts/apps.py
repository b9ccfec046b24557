"""The app `charts` has charts deleted together with their study."""

from django.apps import AppConfig


class ChartsConfig(AppConfig):
    name = "charts"

    def ready(self) -> None:
        from charts.models import ChartFile
        from studies import deletion

        deletion.parts["charts"] = lambda study: deletion.delete_rows(study, [deletion.Rows(ChartFile)])
