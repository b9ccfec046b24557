"""Release all reports of one person, a few at a time. A release is a job: see `jobs.engine`.

Each step is one transaction, which also writes the progress of the job. The files of these reports are moved after
it. So a worker can be killed at any moment, and other people wait for at most one step.
"""

from datetime import timedelta

from django.db import transaction
from django.db.models import Max
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from jobs import engine, ordered
from jobs.pages import JobCard, grouped, words
from jobs.policy import Policy
from media.models import Asset
from safety.models import Reporter, ReporterRelease
from safety.quarantine import open_reports_of, release_locked

#: Number of reports in one step, and the most that are released while the browser waits, which takes about a second.
A_STEP = 20
RIGHT_AWAY = 20


def order(code: str, by: User, *, decision: str) -> ReporterRelease:
    """Release everything that `open_reports_of` returns now. A worker releases large numbers.

    Raises Refused while a release of the same code runs.
    """
    waiting = open_reports_of(code, by)
    last = waiting.aggregate(Max("pk"))["pk__max"] or 0
    facts = {"reporter": Reporter.objects.get(code=code), "asked_by": by, "decision": decision}
    busy = _("The reports under this code are being released. Wait until the release has ended.")
    with ordered.one_at_a_time(POLICY, busy, "busy"):
        job = ReporterRelease.objects.create(**facts, steps_total=waiting.count(), until=last)
    return ordered.begin(POLICY, job, run, right_away=RIGHT_AWAY)


def run(job_id: int) -> None:
    """Claim the job and release the reports, if the job waits and no other worker has it."""
    engine.run(POLICY, job_id, work)


def work(job: ReporterRelease) -> None:
    """Release all reports of the job. Raises Cancelled and TakenOver."""
    ordered.go_through(POLICY, job, step)


@transaction.atomic
def step(job: ReporterRelease) -> bool:
    """Release the next reports and write the progress. Return whether reports are left.

    Each step checks again what the officer may decide, and what somebody else reported or confirmed meanwhile.
    """
    there = engine.locked(POLICY, job.pk, job.fence)
    waiting = open_reports_of(there.reporter.code, there.asked_by).filter(pk__lte=there.until)
    due = waiting.filter(asset__gt=there.reached).order_by("asset")
    assets = list(due.values_list("asset", flat=True)[:A_STEP])
    list(Asset.objects.filter(pk__in=assets).order_by("pk").select_for_update(no_key=True).values_list("pk"))
    still_waiting = waiting.filter(asset__in=assets).order_by(
        "asset"
    )  # read again under the lock: they may have changed
    released = sum(release_locked(one, there.asked_by, there.decision) for one in still_waiting)
    engine.get_further(
        there,
        steps=there.steps + len(assets),
        released=there.released + released,
        reached=max(assets, default=there.reached),
    )
    return len(assets) == A_STEP


def cancel(job: ReporterRelease) -> bool:
    """Stop before the next step. Released reports stay released. Return whether anything changed."""
    return engine.cancel(POLICY, job.pk)


def open_card(code: str) -> JobCard | None:
    """Return the card of the waiting or running release of this code's reports, or None."""
    job = ReporterRelease.objects.filter(reporter__code=code, finished_at=None).select_related("asked_by").first()
    return card(job, code) if job else None


def ended_cards(code: str, most: int) -> list[JobCard]:
    """Return the cards of the latest ended releases of this code's reports."""
    ended = ReporterRelease.objects.filter(reporter__code=code, finished_at__isnull=False).select_related("asked_by")
    return [card(job, code) for job in ended.order_by("-pk")[:most]]


def card(job: ReporterRelease, code: str) -> JobCard:
    """Return the card of a release."""
    total = {"n": grouped(job.steps), "total": grouped(job.steps_total)}
    released = ngettext("%(n)s report is released.", "%(n)s reports are released.", job.released)
    outcome = released % {"n": grouped(job.released)}
    return JobCard(
        **words(job, doing=_("Being released"), cancel=reverse("safety:cancel_release", args=[code])),
        title=_("Releasing the reports of %(code)s") % {"code": code},
        about=job.decision,
        how_far=_("%(n)s of %(total)s reports") % total,
        outcome=f"{job.reason} {outcome}" if job.reason else outcome,
        watch=reverse("safety:release_progress", args=[code]),
        cancel_ask=_("Stop the release…"),
        cancel_label=_("Stop the release"),
        cancel_about=_(
            "The release stops before the next 20 reports. Reports that are already released stay released."
        ),
    )


POLICY = Policy(
    model=ReporterRelease,
    name="Release of reports",
    task="safety.tasks.release_reports",
    most_attempts=10,  # attempts in a row without progress
    pause=lambda _pauses: timedelta(minutes=1),
)
