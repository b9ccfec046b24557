"""The app `training` adds its rows, its events and its jobs to the registries."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TrainingConfig(AppConfig):
    name = "training"

    def ready(self) -> None:
        from charts.catalogue import charts
        from releases.page_parts import PageLink, page_links
        from releases.uses import uses
        from studies import deletion
        from studies.job_lists import kinds
        from studies.links import Link, Place
        from studies.links import register as add_link
        from studies.permissions import MAY_EXPORT
        from training import curves, detail_charts, pages, registry_charts, registry_uses
        from training.deletion import delete_own_rows
        from webhooks.event_types import EventType
        from webhooks.event_types import register as add_events

        charts[curves.LOSS] = curves.loss_in
        charts[registry_charts.VERSIONS] = registry_charts.versions_in
        charts[registry_charts.RELIABILITY] = registry_charts.reliability_in
        charts[detail_charts.PRECISION] = detail_charts.precision_in
        charts[detail_charts.WINS] = detail_charts.wins_in
        charts[detail_charts.QUESTIONS_OF] = detail_charts.questions_in
        charts[detail_charts.HARM] = detail_charts.harm_in
        deletion.parts["training"] = delete_own_rows
        kinds["training"] = pages.JOBS
        uses["model_versions"] = registry_uses.of_release
        page_links["training"] = PageLink(_("Train a model"), "training:from_release", order=50)
        add_link(Place.TABS, Link("training", _("Model training"), "training:list", MAY_EXPORT, order=32))
        add_link(Place.TABS, Link("models", _("Models"), "models:list", MAY_EXPORT, order=34))
        run = {"study": "first-study", "run": 12, "release": 3}
        version = {"study": "first-study", "version_id": 5, "family": "helpfulness", "number": 2, "run": 12}
        add_events(
            EventType("run.done", _("A training run is done"), run),
            EventType("run.failed", _("A training run failed"), run),
            EventType("model.promoted", _("A model version was promoted"), version),
        )
