"""What pages show about the computation of figures: its progress, and which figures are shown meanwhile."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from figures import figure_jobs
from figures.models import StudyFigures
from jobs.pages import JobCard, grouped, words
from studies import job_lists
from studies.models import Study


def card(job: StudyFigures) -> JobCard:
    """Return the card of a computation."""

    def link(name: str) -> str:
        return reverse(f"figures:{name}", args=[job.study.slug, job.pk])

    return JobCard(
        **words(job, doing=_("In progress"), cancel=link("cancel_figures"))
        | {"how_far": _("%(n)s of %(total)s steps") % {"n": grouped(job.steps), "total": grouped(job.steps_total)}},
        title=_("Figures: %(kind)s") % {"kind": job.get_kind_display()},
        about=_("Sums over all answers of the study, with their intervals"),
        meanwhile=_(
            "Until the new figures are ready, this page shows the earlier ones, if there are any. "
            "You can leave the page."
        ),
        outcome=_(job.reason) if job.reason else "",
        page=reverse(f"figures:{job.kind}", args=[job.study.slug]),
        watch=link("figures_job"),
        cancel_ask=_("Cancel this computation…"),
        cancel_label=_("Cancel the computation"),
        cancel_about=_("Earlier figures are kept."),
    )


JOBS = job_lists.of_rows(StudyFigures, card)


def about(study: Study, kind: str) -> dict[str, Any]:
    """Return the context of every page of figures: the newest figures, whether answers came since, and an open job."""
    figures = figure_jobs.newest(study, kind)
    found = StudyFigures.objects.filter(study=study, kind=kind).select_related("study", "asked_by").order_by("-pk")
    last = found.defer("result").first()
    return {
        "computed": figures,
        "result": figures.result if figures else None,
        "is_behind": bool(figures and figure_jobs.is_behind(figures)),
        "underway": card(last) if last and last.is_open else None,
        "failed": card(last) if last and last.state == StudyFigures.State.FAILED else None,
    }
