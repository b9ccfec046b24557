"""The app `figures` adds its tabs, jobs and charts to the registries of the apps below it."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class FiguresConfig(AppConfig):
    name = "figures"

    def ready(self) -> None:
        from charts.catalogue import charts
        from figures import figure_cards, figure_charts
        from figures.models import QualityFigures, StudyCounts, StudyFigures
        from studies import deletion
        from studies.job_lists import kinds

        self._add_links()
        kinds["figures"] = figure_cards.JOBS
        charts[figure_charts.AGREEMENT] = figure_charts.newest_by_question
        charts[figure_charts.WEEKS] = figure_charts.newest_over_weeks
        rows = [deletion.Rows(model) for model in (StudyFigures, StudyCounts, QualityFigures)]
        deletion.parts["figures"] = lambda study: deletion.delete_rows(study, rows)

    def _add_links(self) -> None:
        from studies import permissions as may
        from studies.links import Link, Place, register

        progress = ("figures:dashboard", may.MAY_SEE_PROGRESS)
        register(Place.OVERVIEW, Link("progress", _("Progress"), *progress, order=10))
        register(Place.HOME, Link("progress", _("See progress"), *progress, order=20, first_page=True))
        register(Place.TABS, Link("progress", _("Progress"), *progress, order=10))
        register(Place.TABS, Link("quality", _("Quality"), "figures:quality", may.MAY_SEE_PROGRESS, order=11))
        agreement = ("agreement", _("Agreement"), "figures:agreement")
        register(Place.TABS, Link(*agreement, may.MAY_SEE_PROGRESS, order=15, within="quality"))
        annotators = ("annotators", _("Annotators"), "figures:annotators")
        register(Place.TABS, Link(*annotators, may.MAY_COUNT_WORK, order=16, within="quality"))
