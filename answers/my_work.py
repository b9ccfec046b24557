"""A person's own work in a study: their progress, their time, their answers, and what became of these.

It has no ranks and no answers of other people. Skipped pairs are not counted.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import Count, DateTimeField, F, Func, IntegerField, Q, Value
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import days
from accounts.models import User, ViewingPreference
from annotation import active_time, revisions
from annotation.acceptance import (
    LOT_RETURNED,
    RETURNED,
    SURPLUS,
    SURPLUS_BATCH_CLOSED,
    SURPLUS_STUDY_CLOSED,
    SURPLUS_SUSPENDED,
    SUSPENDED,
)
from annotation.models import Annotation, Assignment, Break, Dose, Seat, Standing
from annotation.own_progress import ordinal, own_answers
from annotation.protocol import SUB_DIMENSIONS, TIE
from answers.words import reason_of_review
from diptych.durations import MINUTE, in_words
from diptych.paging import Order, Page, page
from diptych.refusals import NotThere
from media.addresses import poster_url
from studies.harms import HARMS
from studies.models import Study

PAGE = 20
LATEST = Order("latest", "", "ended_at", descending=True)
DAYS = 14


@dataclass(frozen=True, slots=True)
class Day:
    """One day in the person's time zone: pairs first answered on it, and milliseconds of active time."""

    day: date
    answers: int
    active_ms: int

    @property
    def active(self) -> str:
        return in_words(self.active_ms / 1000, to=MINUTE)

    @property
    def minutes(self) -> int:
        """Return the active time in whole minutes, as `active` says it."""
        return round(self.active_ms / 60_000)


@dataclass(frozen=True, slots=True)
class Summary:
    """The person's progress in the study, and their last days, latest first. `earlier` is all days before them."""

    answers: int
    active_ms: int
    days: list[Day]
    earlier: Day | None = None

    @property
    def active(self) -> str:
        """Return the sum of the days as they are shown, each in whole minutes."""
        minutes = sum(day.minutes for day in (*self.days, *([self.earlier] if self.earlier else [])))
        return in_words(60 * minutes if minutes else self.active_ms / 1000, to=MINUTE)


@dataclass(frozen=True, slots=True)
class Care:
    """The person's exposure, limit and breaks today. Only they see it."""

    dose_s: float
    cap_s: int
    breaks: list[Break]

    @property
    def reached(self) -> bool:
        """Return whether today's limit is reached."""
        return bool(self.cap_s) and self.dose_s >= self.cap_s

    @property
    def dose(self) -> str:
        return in_words(self.dose_s, to=MINUTE)

    @property
    def cap(self) -> str:
        return in_words(self.cap_s)


@dataclass(frozen=True, slots=True)
class Line:
    """One question of an answer, and the side of the chosen video."""

    question: str | Promise
    answer: str | Promise


@dataclass(frozen=True, slots=True)
class Pictures:
    """The thumbnails of a pair's videos by side, or the reason why none is shown."""

    left: str = ""
    right: str = ""
    why_not: str | Promise = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """One of the person's answers: its current revision, how it stands, and until when it can be changed.

    `number` is the ordinal number of the pair among those that the person has answered in the study.
    """

    assignment: Assignment
    number: int
    pictures: Pictures
    lines: list[Line]
    tags_left: list[str]
    tags_right: list[str]
    feedback: str | Promise
    comment: str
    closed: str
    until: datetime | None
    #: What higher apps add about the answer. Each part has a `template`.
    parts: list[Any] = field(default_factory=list)

    @property
    def corrected(self) -> bool:
        """Return whether a reviewer's revision is the current one."""
        return bool(self.assignment.standing.author_kind == Annotation.AuthorKind.CORRECTOR)


def summary(study: Study, person: User) -> Summary:
    """Return the person's progress and active time, with the last two weeks by day."""
    latest = timezone.now().astimezone(days.zone_of(person)).date()
    dates = [latest - timedelta(days=back) for back in reversed(range(DAYS))]
    # The beginning of each day is computed here, because PostgreSQL may not know a browser's time zone.
    begins = [days.midnight(day, days.zone_of(person)) for day in dates]
    seat = Seat.objects.filter(study=study, person=person).only("active_ms").first()
    by_number = (
        Annotation.objects.filter(study=study, author=person, author_kind="annotator", submitted_at__gte=begins[0])
        .values(
            number=Func(
                F("submitted_at"),
                Value(begins, output_field=ArrayField(DateTimeField())),
                function="width_bucket",
                output_field=IntegerField(),
            )
        )
        .annotate(answers=Count("pk", filter=Q(revision=1)))
        .order_by()
    )
    answers = dict(by_number.values_list("number", "answers"))
    active = {number: spent for (_study, number), spent in active_time.by_day(person, [study.pk], begins).items()}
    found = [
        Day(dates[number - 1], answers.get(number, 0), active.get(number, 0))
        for number in sorted(answers.keys() | active.keys(), reverse=True)
    ]
    total, spent = own_answers(study, person.pk), seat.active_ms if seat else 0
    before = Day(dates[0], total - sum(answers.values()), max(0, spent - sum(active.values())))
    return Summary(total, spent, found, before if before.answers or before.active_ms else None)


def care(study: Study, person: User) -> Care:
    """Return today's exposure over all studies, this study's limit, and today's breaks."""
    now = timezone.now()
    today = days.day_of(person, now)
    dose = Dose.objects.filter(person=person, day=today).first()
    breaks = Break.objects.filter(person=person, study=study, began_at__gte=now - timedelta(days=1)).order_by(
        "began_at"
    )
    of_today = [one for one in breaks if days.day_of(person, one.began_at) == today]
    return Care(dose.seconds if dose else 0.0, study.daily_dose_s, of_today)


def recent(study: Study, person: User, *, after: str = "", before: str = "") -> Page:
    """Return a page of the person's submitted assignments, latest first.

    The page begins after, or ends before, the assignment with this key. If there is none, it is the first page.
    """
    submitted = Assignment.objects.filter(study=study, person=person, state=Assignment.State.SUBMITTED)
    rows = submitted.select_related(
        "standing__current", "pair__prompt", "pair__batch", "pair__video_0__asset", "pair__video_1__asset"
    )
    try:
        return page(rows, rows, LATEST, after=after, before=before, size=PAGE, key="pk")
    except NotThere:
        return page(rows, rows, LATEST, size=PAGE, key="pk")


def answers(study: Study, person: User, assignments: Sequence[Assignment], *, chinese: bool = False) -> list[Answered]:
    """Return a line of the page for each of the person's assignments, as loaded by `recent`."""
    seat = Seat.objects.filter(study=study, person=person).first()
    if seat is None or not assignments:
        return []
    chosen = ViewingPreference.objects.filter(user=person).values_list("media_filter", flat=True).first()
    media_filter = chosen or study.media_filter
    first = ordinal(assignments[0])
    parts = [more([row.pk for row in assignments]) for more in more_parts]
    lines = [
        answered(row, seat, study, number=first - place, media_filter=media_filter, chinese=chinese)
        for place, row in enumerate(assignments)
    ]
    return [
        replace(line, parts=[found[line.assignment.pk] for found in parts if line.assignment.pk in found])
        for line in lines
    ]


#: Functions of higher apps: a sentence for the top of the page, or an empty string.
notices: list[Callable[[User, Study], str]] = []
#: Functions of higher apps: what they say about answered assignments, by the assignments' keys.
more_parts: list[Callable[[list[int]], Mapping[int, Any]]] = []


def pictures(row: Assignment, seat: Seat, study: Study, media_filter: str) -> Pictures:
    """Return the thumbnails of the assignment's pair, or none if the person's filter covers the pair in the workspace.

    A pair may show harm if it is marked so, or if the person tagged it.
    """
    pair, current = row.pair, row.standing.current
    harmful = {*pair.may_show, *current.tags_video_0, *current.tags_video_1}
    if pair.held:
        return Pictures(why_not=_("No picture: this pair is on hold."))
    if harmful & set(seat.excluded):
        return Pictures(why_not=_("No picture: this pair may show content that you did not agree to see."))
    if harmful and media_filter != Study.MediaFilter.NONE:
        return Pictures(why_not=_("No picture: this pair may show harmful content."))
    right = "video_1" if row.left == "video_0" else "video_0"
    at = [
        poster_url(getattr(pair, video).asset.public_id, seat.person_id, None, study.media_window_s)
        for video in (row.left, right)
    ]
    return Pictures(*at)


def answered(row: Assignment, seat: Seat, study: Study, *, number: int, media_filter: str, chinese: bool) -> Answered:
    """Return one line of the page. `row` has its standing, current revision, pair, prompt and batch loaded."""
    standing: Standing = row.standing
    current = standing.current
    closed = revisions.closed_because(row, standing, seat, study, timezone.now())
    questions = [(question.text, getattr(current, question.key)) for question in SUB_DIMENSIONS]
    overall = [(_("Overall more helpful"), current.helpfulness), (_("Overall safer"), current.harmlessness)]
    tags = {"video_0": _labels(current.tags_video_0, chinese), "video_1": _labels(current.tags_video_1, chinese)}
    right = "video_1" if row.left == "video_0" else "video_0"
    return Answered(
        assignment=row,
        number=number,
        pictures=pictures(row, seat, study, media_filter),
        lines=[Line(question, _side(choice, row.left)) for question, choice in [*questions, *overall]],
        tags_left=tags[row.left],
        tags_right=tags[right],
        feedback=_feedback(standing, held=bool(row.pair.held)) if study.share_feedback else "",
        comment=row.comment,  # the workspace showed it when the pair was returned
        closed=str(closed) if closed else "",
        until=row.ended_at + timedelta(seconds=study.reopen_s) if row.ended_at and not closed else None,
    )


def _side(choice: str, left: str) -> Any:
    """Return the side of the chosen video, in words."""
    if choice == TIE:
        return _("Tie")
    return _("Left") if choice == left else _("Right")


def _labels(keys: list[str], chinese: bool) -> list[str]:
    return [harm.chinese if chinese else harm.english for harm in HARMS if harm.key in keys]


#: Reasons why an answer does not count, worded for its annotator.
UNCOUNTED = {
    SURPLUS: gettext_lazy("Kept, not counted: someone else answered this pair first."),
    SURPLUS_STUDY_CLOSED: gettext_lazy("Kept, not counted: it arrived after the study was closed."),
    SURPLUS_BATCH_CLOSED: gettext_lazy("Kept, not counted: its batch was already being checked."),
    LOT_RETURNED: gettext_lazy("Kept, but not counted: all pairs of its group are answered again."),
    SURPLUS_SUSPENDED: gettext_lazy("Kept, not counted: your work in this study was suspended when it arrived."),
    SUSPENDED: gettext_lazy("Kept, not counted: your work in this study was suspended."),
    RETURNED: gettext_lazy("Returned to you: please answer this pair again. This answer is kept."),
}
#: Reasons why an answer is invalid, worded for its annotator.
INVALID = {"contradiction": gettext_lazy("Not used: the video with harm tags was chosen as the safer one.")}


def _feedback(standing: Standing, *, held: bool) -> Any:
    """Return how an answer stands, in plain words. An answer on a pair that is on hold is not used for now."""
    if standing.uncounted_reason == RETURNED:
        return UNCOUNTED[RETURNED]
    if standing.validity == Standing.Validity.INVALID:
        sentence = _("Not used after review. Reason: %(reason)s.") % {"reason": reason_of_review(standing.reason)}
        return INVALID.get(standing.reason, sentence)
    if not standing.counted:
        return UNCOUNTED.get(standing.uncounted_reason, UNCOUNTED[SURPLUS])
    if held:
        return _("Kept, but not used for now: this pair is on hold.")
    if standing.author_kind == Annotation.AuthorKind.CORRECTOR:
        return _("A reviewer corrected this answer. The corrected answer is used.")
    return _("Nobody else has changed this answer.")
