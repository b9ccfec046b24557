"""Histories of what one person is shown in two studies, as a state machine of hypothesis.

It records every revealed second and every report itself. After each step, the database must have the reported seconds
of each day. At the end, when everything was reported, each dose must equal the revealed seconds.
"""

import uuid
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from unittest.mock import patch

from django.db.models import Sum
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from accounts import days
from accounts.days import day_of
from annotation import exposure_reports, leases, quarantining, revisions, serving, skipping, submission
from annotation.answers import Answers
from annotation.exposure import lapse_ended_leases
from annotation.models import Assignment, Dose, Exposure
from annotation.protocol import REOPENED, SKIP_REASONS, VIDEOS
from catalog.models import Pair
from diptych.refusals import Refused
from studies.models import Study
from tests import factories
from tests.annotation import recounting
from tests.annotation.interleaving import every_second

ZONES = ("UTC", "Pacific/Auckland", "America/Los_Angeles", "Asia/Shanghai")
SECONDS = st.sampled_from([0.5, 4.0, 60.0, 300.0])
WHICH = st.integers(0, 1)
PICK = st.integers(0, 9)
#: Two clips of two seconds, each watched twice.
ESTIMATE_S = 8.0
PLAIN = Answers.from_body(factories.body()["helpfulness"], factories.body()["harmlessness"] | {"video_1": {"tags": []}})
TAGGED = Answers.from_body(factories.body()["helpfulness"], factories.body()["harmlessness"])


@dataclass
class Visit:
    """One showing of one assignment: what was revealed, by day and video, and how often it was hidden."""

    assignment: Assignment
    name: str
    revealed: Counter[tuple[date, str]] = field(default_factory=Counter)
    hidden: int = 0
    #: The highest reported values.
    reported_s: Counter[tuple[date, str]] = field(default_factory=Counter)
    reported_hidden: int = 0

    def report(self, *, names_days: bool) -> dict[str, Any]:
        care: dict[str, Any] = {"revealed_s": self._seconds(None), "hidden": self.hidden}
        if names_days:
            days = {day for day, _video in self.revealed}
            care |= {"showing": self.name, "by_day": {day.isoformat(): self._seconds(day) for day in days}}
        return care

    def _seconds(self, day: date | None) -> dict[str, float]:
        found = self.revealed.items()
        return {video: sum(s for (of, side), s in found if side == video and day in (None, of)) for video in VIDEOS}

    def mark_reported(self) -> None:
        self.reported_s, self.reported_hidden = Counter(self.revealed), self.hidden


class Histories(RuleBasedStateMachine):
    """`names_days`: whether reports name showings and days, as our own page does. A plain program does not."""

    names_days = True

    @initialize(
        zone=st.sampled_from(ZONES),
        control_rate=st.sampled_from([0.0, 0.05]),
        cap=st.sampled_from([0, 400]),
        hour=st.integers(0, 23),
    )
    def begin(self, zone: str, control_rate: float, cap: int, hour: int) -> None:
        self.now = datetime(2026, 3, 27, hour, 30, tzinfo=UTC)
        self.clock = patch.object(timezone, "now", lambda: self.now)
        self.clock.start()
        self.often_controls = patch("annotation.draws.is_control", every_second)
        self.often_controls.start()
        values = {"control_rate": control_rate, "daily_dose_s": cap, "hold_after_skips": 99}
        self.studies = [factories.study(**values) for _ in range(2)]
        self.person = factories.member(self.studies[0], "annotator", time_zone=zone)
        factories.Membership.objects.create(study=self.studies[1], person=self.person, role="annotator")
        factories.agreements.agree(self.person, self.studies[1], categories=self.studies[1].categories, text="I agree.")
        for study in self.studies:
            factories.pairs(study, 4, may_show=["violence"])
            factories.pairs(study, 2)
            factories.pair(study, may_show=["crime"], kind="control", expected={})
        self.visits: list[Visit] = []
        self.open: dict[int, Visit] = {}
        #: For pairs that seemed harmless: the videos that the person tagged.
        self.tagged: dict[int, list[str]] = {}
        self.sent: list[tuple[Assignment, dict[str, Any]]] = []

    # Actions on the person's page.

    @rule(which=WHICH)
    def lease(self, which: int) -> None:
        self.report_before_a_lease(which)
        study = Study.objects.get(pk=self.studies[which].pk)
        self.show(which, serving.lease(self.person, study).current)

    def report_before_a_lease(self, which: int) -> None:
        """Report what a plain program has shown. A report without the name of a showing is of the present lease."""
        if not self.names_days and which in self.open:
            self.report_on(self.open[which])

    def show(self, which: int, current: Assignment | None) -> None:
        """Show the person's pairs on the page. A pair that is already shown stays."""
        shown = self.open.get(which)
        if current is None:
            self.open.pop(which, None)
        elif shown is None or shown.assignment.pk != current.pk or shown.assignment.lease_number < current.lease_number:
            self.visit(which, current)

    def visit(self, which: int, assignment: Assignment) -> None:
        assignment = Assignment.objects.select_related("study", "pair").get(pk=assignment.pk)
        self.open[which] = Visit(assignment, str(uuid.uuid4()))
        self.visits.append(self.open[which])

    @precondition(lambda self: self.names_days)
    @rule(which=WHICH)
    def reload(self, which: int) -> None:
        """Reload the page, or open it on another machine. The browser still has what was not reported."""
        if which in self.open:
            self.visit(which, self.open[which].assignment)

    @rule(which=WHICH, video=st.sampled_from(VIDEOS), seconds=SECONDS, nights=st.sampled_from([0, 0, 1]))
    def reveal(self, which: int, video: str, seconds: float, nights: int) -> None:
        """Watch a video, some nights past midnight, without a report in between."""
        if which not in self.open:
            self.lease(which)
        if which not in self.open:
            return
        self.look(which, video, seconds)
        for _ in range(nights):
            self.time_passes(24)
            self.look(which, video, seconds)

    def look(self, which: int, video: str, seconds: float) -> None:
        self.open[which].revealed[day_of(self.person, self.now), video] += seconds
        self.now += timedelta(seconds=1)

    @rule(which=WHICH)
    def hide(self, which: int) -> None:
        if which in self.open:
            self.open[which].hidden += 1

    def care(self, visit: Visit) -> dict[str, Any]:
        """Return the report of a page that shows this visit, with the parts of earlier visits that may be lost."""
        care = visit.report(names_days=self.names_days)
        if self.names_days:
            earlier = [one for one in self.of(visit.assignment) if one is not visit]
            care["earlier"] = [one.report(names_days=True) for one in earlier][-20:]
        self.sent.append((visit.assignment, care))
        return care

    def of(self, assignment: Assignment) -> list[Visit]:
        return [visit for visit in self.visits if visit.assignment.pk == assignment.pk]

    def mark_all_reported(self, visit: Visit) -> None:
        for one in self.of(visit.assignment) if self.names_days else [visit]:
            one.mark_reported()

    @rule(which=WHICH, how=st.sampled_from(["draft", "renew", "care"]))
    def report_so_far(self, which: int, how: str) -> None:
        if which not in self.open:
            return
        visit = self.open[which]
        care = self.care(visit)
        if how == "draft":
            with suppress(Refused):
                submission.save_draft(visit.assignment, {"helpfulness": {}, "care": care})
        else:
            exposure_reports.record_separate_report(visit.assignment, self.person, care)
        if how == "renew":
            self.renew(which)
        self.mark_all_reported(visit)

    @rule(pick=PICK)
    def a_report_arrives_once_more(self, pick: int) -> None:
        if self.sent and self.names_days:
            assignment, care = self.sent[pick % len(self.sent)]
            exposure_reports.record_separate_report(assignment, self.person, care)

    @rule(which=WHICH)
    def renew(self, which: int) -> None:
        """Renew an expired lease, if that is possible."""
        if which in self.open:
            self.report_before_a_lease(which)
            with suppress(Refused):
                serving.renew(self.open[which].assignment, self.person)

    @rule(which=WHICH, tags=st.booleans())
    def submit(self, which: int, tags: bool) -> None:
        """Submit an answer, possibly late, after the lease has expired or was released."""
        if which not in self.open:
            return
        visit = self.open.pop(which)
        tags = tags and self.names_days and not self.may_show(visit.assignment)
        care, answers = self.care(visit), TAGGED if tags else PLAIN
        try:
            written = submission.submit(
                visit.assignment,
                self.person,
                submission_id=uuid.uuid4(),
                answers=answers,
                timings_ms={},
                viewing={},
                care=care,
                lease_next=True,
            )
        except Refused:
            exposure_reports.record_separate_report(visit.assignment, self.person, care)
            self.mark_all_reported(visit)
            return
        if tags:
            self.tagged[visit.assignment.pk] = answers.tagged()
        self.mark_all_reported(visit)
        assert written.leased
        self.show(which, written.leased.current)

    @rule(which=WHICH, pick=PICK)
    def skip(self, which: int, pick: int) -> None:
        if which not in self.open:
            return
        visit = self.open.pop(which)
        reason = [one for one in SKIP_REASONS if one != "too_distressing"][pick % (len(SKIP_REASONS) - 1)]
        care = self.care(visit)
        try:
            leased = skipping.skip(visit.assignment, self.person, reason=reason, care=care)
        except Refused:
            exposure_reports.record_separate_report(visit.assignment, self.person, care)
        else:
            self.show(which, leased.current)
        self.mark_all_reported(visit)

    @rule(which=WHICH, also=st.booleans())
    def report(self, which: int, also: bool) -> None:
        """Report a video as illegal."""
        if which not in self.open or not also:
            return
        visit = self.open.pop(which)
        if not self.names_days and visit.assignment.state == "submitted":
            return
        reported = quarantining.report(visit.assignment, self.person, videos=["video_0"], care=self.care(visit))
        self.mark_all_reported(visit)
        self.show(which, reported.leased.current)

    @rule(which=WHICH, pick=PICK, seconds=SECONDS, refused=st.booleans())
    def revise(self, which: int, pick: int, seconds: float, refused: bool) -> None:
        """Look at an answer again, on any day, and change it or come too late to change it."""
        answered = Assignment.objects.filter(study=self.studies[which], person=self.person, state="submitted")
        answered = answered.filter(pair__lane=Pair.Lane.SENSITIVE).order_by("pk")
        if not answered:
            return
        assignment = answered.select_related("study", "pair")[pick % len(answered)]
        Assignment.objects.filter(pk=assignment.pk).update(ended_at=self.now - timedelta(days=30 * refused))
        visit = Visit(assignment, str(uuid.uuid4()))
        visit.revealed[day_of(self.person, self.now), "video_1"] += seconds
        self.visits.append(visit)
        care, submission_id = self.care(visit), uuid.uuid4()
        for _ in range(2):  # the same request twice
            try:
                revisions.revise(
                    assignment,
                    self.person,
                    submission_id=submission_id,
                    answers=PLAIN if pick % 2 else TAGGED,
                    timings_ms={},
                    viewing={},
                    reason=REOPENED,
                    care=care,
                )
            except Refused:
                exposure_reports.record_separate_report(
                    assignment, self.person, care, showing=f"revision {submission_id}"
                )
        self.mark_all_reported(visit)

    # Actions of everybody else.

    @rule(which=WHICH, how=st.sampled_from(["expire", "release"]))
    def lease_ends(self, which: int, how: str) -> None:
        """End a lease. The page, if it is still open, does not know."""
        for lease in Assignment.objects.filter(study=self.studies[which], person=self.person, state="leased"):
            if how == "release":
                serving.release(lease, self.person)
            else:
                past = {"leased_at": self.now - timedelta(hours=2), "expires_at": self.now - timedelta(hours=1)}
                Assignment.objects.filter(pk=lease.pk).update(**past)
        leases.return_expired()

    @rule()
    def sweep(self) -> None:
        leases.return_expired()
        lapse_ended_leases()

    @rule(hours=st.sampled_from([1, 7, 24]))
    def time_passes(self, hours: int) -> None:
        if not self.names_days:
            self.report_everything()  # otherwise nobody would know the day on which it was revealed
        self.now += timedelta(hours=hours)

    @rule(zone=st.sampled_from(ZONES))
    def moves(self, zone: str) -> None:
        """Move the person to another time zone. Their open pages are closed first, which sends a report."""
        self.report_everything()
        before = self.dose_now()
        with suppress(Refused):
            days.change_zone(self.person, zone, self.now)
        assert self.dose_now() >= before

    def dose_now(self) -> float:
        """Return the dose that counts towards the limit now."""
        today = Dose.objects.filter(person=self.person, day=day_of(self.person, self.now))
        return sum(dose.seconds for dose in today)

    def report_everything(self) -> None:
        """Report what is on open pages and, if browsers store it, what was on earlier ones."""
        for visit in self.visits if self.names_days else self.open.values():
            self.report_on(visit)

    def report_on(self, visit: Visit) -> None:
        exposure_reports.record_separate_report(visit.assignment, self.person, self.care(visit))
        visit.mark_reported()

    # Invariants.

    def may_show(self, assignment: Assignment) -> bool:
        return bool(assignment.pair.may_show)

    def counted(self, visit: Visit) -> tuple[str, ...] | list[str]:
        """Return the videos whose seconds count."""
        if self.may_show(visit.assignment):
            return VIDEOS
        return self.tagged.get(visit.assignment.pk, [])

    def seconds_by_day(self, of: str) -> dict[date, float]:
        found: Counter[date] = Counter()
        for visit in self.visits:
            for (day, video), seconds in getattr(visit, of).items():
                if video in self.counted(visit):
                    found[day] += seconds
        return {day: seconds for day, seconds in found.items() if seconds}

    @invariant()
    def the_ledger_says_what_was_reported(self) -> None:
        rows = Exposure.objects.filter(person=self.person, revealed_s__gt=0).values("day").annotate(s=Sum("revealed_s"))
        assert {row["day"]: round(row["s"], 6) for row in rows} == self.seconds_by_day("reported_s")

    @invariant()
    def doses_add_up_and_nothing_else_contradicts(self) -> None:
        for study in self.studies:
            assert (found := recounting.contradictions(study.pk)) == {}, found

    @invariant()
    def a_pair_that_is_held_is_expected(self) -> None:
        """Check this as long as nothing was reported of the pair."""
        reported_on = {assignment.pk for assignment, _care in self.sent}
        for lease in Assignment.objects.filter(person=self.person, state="leased", pair__lane=Pair.Lane.SENSITIVE):
            if lease.pk not in reported_on:
                rows = Exposure.objects.filter(assignment=lease)
                assert sum(row.expected_s for row in rows) >= ESTIMATE_S

    def teardown(self) -> None:
        try:
            self.the_days_doses_are_what_was_revealed()
        finally:
            self.clock.stop()
            self.often_controls.stop()

    def the_days_doses_are_what_was_revealed(self) -> None:
        """Check doses after all reports have arrived and all leases have ended, when nothing is expected any more."""
        self.report_everything()
        for which in range(2):
            self.lease_ends(which, "release")
        lapse_ended_leases()
        doses = Dose.objects.filter(person=self.person, seconds__gt=1e-6).values_list("day", "seconds")
        expected = self.seconds_by_day("revealed" if self.names_days else "reported_s")
        assert {day: round(seconds, 6) for day, seconds in doses} == expected
        hides = Exposure.objects.filter(person=self.person, assignment__pair__lane=Pair.Lane.SENSITIVE)
        seen = sum(visit.hidden for visit in self.visits if self.may_show(visit.assignment))
        assert (hides.aggregate(n=Sum("hidden"))["n"] or 0) == seen or not self.names_days


class PlainHistories(Histories):
    """Histories of a program that reports without showings and days. Its reports count on the day of the report."""

    names_days = False
