"""What a person may know of their own work in a study: how far, how long, what they answered, what became of it.

Never a rank, never anybody else's answers; skipped pairs are counted nowhere.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, Q, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from annotation import exposure, revisions
from annotation.acceptance import SURPLUS, SURPLUS_BATCH_CLOSED, SURPLUS_STUDY_CLOSED
from annotation.models import Annotation, Assignment, Break, Dose, Seat, Standing
from annotation.progress import own_answers
from annotation.protocol import SUB_DIMENSIONS, TIE
from catalog.harms import HARMS
from catalog.models import Study

PAGE = 20
DAYS = 14
#: Digits that any key of a row has at most, so that PostgreSQL's bigint takes it.
LONGEST_KEY = 18


@dataclass(frozen=True, slots=True)
class Day:
    """One day in the person's time zone: pairs first answered on it, and milliseconds of active time."""

    day: date
    answers: int
    active_ms: int

    @property
    def active(self) -> str:
        return time_in_words(self.active_ms / 1000)


@dataclass(frozen=True, slots=True)
class Summary:
    """How far the person is in the study, and their last days, the latest first."""

    answers: int
    active_ms: int
    days: list[Day]

    @property
    def active(self) -> str:
        return time_in_words(self.active_ms / 1000)


@dataclass(frozen=True, slots=True)
class Care:
    """What protects the person today: for their own eyes."""

    dose_s: float
    cap_s: int
    breaks: list[Break]

    @property
    def dose(self) -> str:
        return time_in_words(self.dose_s)

    @property
    def cap(self) -> str:
        return time_in_words(self.cap_s)


@dataclass(frozen=True, slots=True)
class Line:
    """One question of an answer, and where the chosen video stood."""

    question: str | Promise
    answer: str | Promise


@dataclass(frozen=True, slots=True)
class Answered:
    """One of the person's answers as it stands: what they said, what became of it, and until when it may change."""

    assignment: Assignment
    lines: list[Line]
    tags_left: list[str]
    tags_right: list[str]
    feedback: str | Promise
    comment: str
    closed: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Page:
    """Some answers, the latest first, and the place after which the next page begins; empty: none does."""

    answers: list[Answered]
    after: str


def time_in_words(seconds: float) -> str:
    """A length of time to the minute, as somebody would say it."""
    minutes = round(seconds / 60)
    if minutes == 0 and seconds > 0:
        return _("less than a minute")
    if minutes < 60:
        return _("%(n)s min") % {"n": minutes}
    return _("%(h)s h %(n)s min") % {"h": minutes // 60, "n": minutes % 60}


def summary(study: Study, person: User) -> Summary:
    """Own progress and active time, by day over the last two weeks."""
    since = timezone.now() - timedelta(days=DAYS)
    seat = Seat.objects.filter(study=study, person=person).only("active_ms").first()
    by_day = (
        Annotation.objects.filter(study=study, author=person, author_kind="annotator", submitted_at__gte=since)
        .values(day=TruncDate("submitted_at", tzinfo=timezone.get_current_timezone()))
        .annotate(answers=Count("pk", filter=Q(revision=1)), active_ms=Sum("active_ms"))
        .order_by("-day")
    )
    return Summary(own_answers(study, person.pk), seat.active_ms if seat else 0, [Day(**row) for row in by_day])


def care(study: Study, person: User) -> Care:
    """Today's exposure over all studies, this study's cap, and today's breaks."""
    now = timezone.now()
    today = exposure.day_of(person, now)
    dose = Dose.objects.filter(person=person, day=today).first()
    breaks = Break.objects.filter(person=person, study=study, began_at__gte=now - timedelta(days=1)).order_by(
        "began_at"
    )
    of_today = [one for one in breaks if exposure.day_of(person, one.began_at) == today]
    return Care(dose.seconds if dose else 0.0, study.daily_dose_s, of_today)


def recent(study: Study, person: User, *, after: str = "", chinese: bool = False) -> Page:
    """The person's answers, `PAGE` at most, from the place `after` on. What is no such place begins at the start."""
    rows = (
        Assignment.objects.filter(study=study, person=person, state=Assignment.State.SUBMITTED)
        .select_related("standing__current", "pair__prompt", "pair__batch")
        .order_by("-ended_at", "-pk")
    )
    if place := _place(after):
        ended_at, pk = place
        rows = rows.filter(ended_at__lte=ended_at).exclude(ended_at=ended_at, pk__gte=pk)
    found = list(rows[: PAGE + 1])
    seat = Seat.objects.filter(study=study, person=person).first()
    answers = [answered(row, seat, study, chinese=chinese) for row in found[:PAGE] if seat]
    last = found[PAGE - 1] if len(found) > PAGE else None
    return Page(answers, f"{last.ended_at.isoformat()}~{last.pk}" if last and last.ended_at else "")


def _place(after: str) -> tuple[datetime, int] | None:
    """Return the moment and the key that an address names, or None if it names none."""
    moment, _tilde, pk = after.partition("~")
    try:
        ended_at = parse_datetime(moment)
    except ValueError:
        return None
    if ended_at is None or not timezone.is_aware(ended_at) or not 2000 <= ended_at.year <= 9000:
        return None  # PostgreSQL's offsets and years do not reach as far as Python's
    is_key = pk.isascii() and pk.isdecimal() and len(pk) <= LONGEST_KEY
    return (ended_at, int(pk)) if is_key else None


def answered(row: Assignment, seat: Seat, study: Study, *, chinese: bool) -> Answered:
    """One line of the page. `row` has its standing, current revision, pair, prompt and batch loaded."""
    standing: Standing = row.standing
    current = standing.current
    closed = revisions.closed_because(row, seat, study, timezone.now())
    questions = [(question.text, getattr(current, question.key)) for question in SUB_DIMENSIONS]
    overall = [(_("Overall more helpful"), current.helpfulness), (_("Overall safer"), current.harmlessness)]
    tags = {"video_0": _labels(current.tags_video_0, chinese), "video_1": _labels(current.tags_video_1, chinese)}
    right = "video_1" if row.left == "video_0" else "video_0"
    return Answered(
        assignment=row,
        lines=[Line(question, _side(choice, row.left)) for question, choice in [*questions, *overall]],
        tags_left=tags[row.left],
        tags_right=tags[right],
        feedback=_feedback(standing) if study.share_feedback else "",
        comment=row.comment if study.share_feedback else "",
        closed=str(closed) if closed else "",
        until=row.ended_at + timedelta(seconds=study.reopen_s) if row.ended_at and not closed else None,
    )


def _side(choice: str, left: str) -> Any:
    """Where the chosen video stood."""
    if choice == TIE:
        return _("Tie")
    return _("Left") if choice == left else _("Right")


def _labels(keys: list[str], chinese: bool) -> list[str]:
    return [harm.chinese if chinese else harm.english for harm in HARMS if harm.key in keys]


#: What a standing's reason means, for the person it is about.
REASONS = {
    SURPLUS: gettext_lazy("Kept beside: somebody else answered this pair sooner."),
    SURPLUS_STUDY_CLOSED: gettext_lazy("Kept, not counted: it came after the study was closed."),
    SURPLUS_BATCH_CLOSED: gettext_lazy("Kept, not counted: its batch was already being checked."),
    "contradiction": gettext_lazy("Not used: the video with harm tags was called the safer one."),
}


def _feedback(standing: Standing) -> Any:
    """How an answer stands, in plain words."""
    if standing.reason in REASONS:
        return REASONS[standing.reason]
    if standing.validity == Standing.Validity.INVALID:
        return _("Not used after review: %(reason)s.") % {"reason": standing.reason.replace("_", " ")}
    return _("Used as it is.")
