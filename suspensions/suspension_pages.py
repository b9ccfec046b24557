"""What pages and the API show about suspensions: their jobs, results and answers."""

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from diptych.downloads import CopyFile
from diptych.sentences import joined
from diptych.spreadsheet import write_rows
from jobs.pages import JobCard, grouped, words
from studies import job_lists
from suspensions import suspension_work
from suspensions.models import SuspendedAnswer, Suspension

Outcome = SuspendedAnswer.Outcome


def card(job: Suspension) -> JobCard:
    """Return the card of the job."""

    def link(name: str) -> str:
        return reverse(f"suspensions:{name}", args=[job.study.slug, job.pk])

    doing = _("Counting answers again") if job.lifting else _("Taking answers out")
    stopped = job.state in (job.State.FAILED, job.State.CANCELLED)
    return JobCard(
        **words(job, doing=doing, cancel=link("cancel_suspension")) | {"how_far": how_far(job)},
        title=_("Suspension of %(name)s") % {"name": job.person.username},
        about=what_in_words(job),
        meanwhile=_("The person gets no pairs in the meantime. You can leave this page.") if not job.lifting else "",
        outcome=outcome(job),
        page=link("suspension"),
        watch=link("suspension_progress"),
        cancel_ask=_("Stop this job…"),
        cancel_label=_("Stop the job"),
        cancel_about=_("The job stops after its present step. What it has done so far stays."),
        resume=link("resume_suspension") if stopped and (job.lifting or not job.lifted_at) else "",
        resume_label=_("Continue the job"),
    )


def how_far(job: Suspension) -> str:
    """Return how many answers are done."""
    return _("%(n)s of %(total)s answers") % {"n": grouped(job.steps), "total": grouped(job.steps_total)}


def what_in_words(job: Suspension) -> str:
    """Return which answers the suspension returns."""
    if job.lot is not None:
        return _("Answers of lot %(number)s") % {"number": job.lot.number}
    if job.since is not None:
        return _("Answers since %(moment)s") % {"moment": f"{job.since:%Y-%m-%d %H:%M} UTC"}
    return _("All answers") if job.what == Suspension.What.ALL else _("No answers")


def outcome(job: Suspension) -> str:
    """Return the outcome in a few words; empty while the job is open."""
    if job.is_open:
        return ""
    found = suspension_work.counts(job)
    said: list[Any] = [_(job.reason)] if job.reason else []
    if job.lifting:
        said.append(_counted("restored", found[Outcome.RESTORED]))
        said += [_counted(one, found[one]) for one in (Outcome.TAKEN, Outcome.DECIDED) if found[one]]
    else:
        said.append(_counted("returned", found.total()))
    return joined(said)


def _counted(what: str, number: int) -> str:
    """Return a sentence about so many answers."""
    sentences = {
        "returned": ngettext("%(n)s answer was taken out.", "%(n)s answers were taken out.", number),
        "restored": ngettext("%(n)s answer counts again.", "%(n)s answers count again.", number),
        Outcome.TAKEN: ngettext(
            "%(n)s answer does not count again, because somebody else has answered its pair.",
            "%(n)s answers do not count again, because others have answered their pairs.",
            number,
        ),
        Outcome.DECIDED: ngettext(
            "%(n)s answer is unchanged, because somebody decided about it in the meantime.",
            "%(n)s answers are unchanged, because somebody decided about them in the meantime.",
            number,
        ),
    }
    return sentences[what] % {"n": grouped(number)}


JOBS = job_lists.of_rows(Suspension, card)


def answers_of(job: Suspension, outcome: str = "") -> QuerySet[SuspendedAnswer]:
    """Return the answers that the suspension returned, with their pairs, in the order in which they were given."""
    rows = SuspendedAnswer.objects.filter(suspension=job).select_related("assignment__pair__batch")
    return (rows.filter(outcome=outcome) if outcome else rows).order_by("assignment")


COLUMNS = ("pair_id", "batch", "answered_at", "lost_from_a_lot", "outcome")


def copy_as_csv(rows: QuerySet[SuspendedAnswer], target: CopyFile) -> None:
    """Write the answers of a suspension to a CSV file. Raise DatabaseError or OSError if that fails."""
    write_rows(COLUMNS, _lines(rows), target)


def _lines(rows: QuerySet[SuspendedAnswer]) -> Iterator[list[Any]]:
    for row in rows.iterator(chunk_size=2000):
        given = row.assignment
        at = given.ended_at.isoformat(timespec="seconds") if given.ended_at else ""
        yield [given.pair.public_id, given.pair.batch.number, at, "yes" if row.lost else "no", row.outcome]
