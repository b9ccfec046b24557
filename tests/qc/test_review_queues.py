"""What answers of a lot wait for: flags that a trigger keeps true, ranks of the look-here queue, and their counts."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotation.models import Assignment
from catalog.models import Batch
from findings import dismissing
from findings.models import Finding
from findings.tasks import check_new_answers
from qc import due, looking, lots, reviewing, verdicts
from tests import factories
from tests.findings.finding import harmless, helpful
from tests.qc.reviewed import answered, spot_checked

pytestmark = pytest.mark.django_db

FAST = {"timings_ms": {"total_active": 500}}
SLOW = {"timings_ms": {"total_active": 60_000}}


def waits(item):
    item.refresh_from_db()
    return item.secondary_due, item.spot_due, item.look_rank


class TestFlags:
    def test_a_submitted_review_ends_what_its_answer_waits_for_and_an_undo_brings_it_back(self, study):
        lot, reviewer = factories.lot_in_review(study), factories.reviewer(study)
        review = reviewing.lease(reviewer, lot, "secondary").reviews[0]
        assert waits(review.item) == (True, True, 0)
        verdicts.submit(review, reviewer, [])
        assert waits(review.item) == (False, True, None)
        verdicts.undo(review, reviewer)
        assert waits(review.item) == (True, True, 0)

    def test_the_look_here_queue_stays_without_what_another_review_has_seen(self, study):
        lot, reviewer = factories.lot_in_review(study, drawn=True), factories.reviewer(study)
        item = lot.items.get()
        spot_checked(item, "fine")
        assert waits(item) == (True, False, None)
        other = factories.review(item, reviewer=reviewer, kind="look", state="submitted")
        assert waits(item) == (True, False, None)
        other.state, other.ended_at = "leased", None
        other.save()
        assert waits(item) == (True, False, None)

    @pytest.mark.parametrize("state", ["skipped", "returned", "expired"])
    def test_a_review_that_ends_without_verdicts_changes_nothing(self, study, state):
        lot = factories.lot_in_review(study)
        reason = {"skip_reason": "other"} if state == "skipped" else {}
        factories.review(lot.items.get(), reviewer=factories.reviewer(study), state=state, **reason)
        assert waits(lot.items.get()) == (True, True, 0)


class TestFreeze:
    def started(self, study, head, share):
        study.secondary_share = share
        study.save(update_fields=["secondary_share"])
        lot = lots.put_together(study, [1], actor=head)
        lots.start(lot, actor=head)
        return lot

    @pytest.mark.long
    def test_a_share_is_drawn_for_the_secondary_review_and_the_rest_never_waits_for_it(self, study, researcher):
        answered(study, pairs=40)
        lot = self.started(study, researcher, 0.5)
        drawn = lot.items.filter(secondary_due=True).count()
        assert 8 <= drawn <= 32
        assert due.counts(study, [lot], ["secondary"])[lot.pk]["secondary"] == drawn

    @pytest.mark.long
    def test_only_the_samples_wait_for_the_spot_check(self, study, researcher):
        answered(study, pairs=30)
        lot = self.started(study, researcher, 0)
        waiting = set(lot.items.filter(spot_due=True).values_list("place", flat=True))
        assert waiting == set(range(1, lot.sample_size + 1))
        assert lot.sample_size < 30
        assert lot.lot_batches.get().size == 30

    def test_answers_are_ranked_and_each_unknown_person_waits_with_one_answer(self, study, researcher):
        people = [factories.member(study, "annotator") for _ in range(2)]
        for person, times in ((people[0], FAST), (people[0], SLOW), (people[0], SLOW), (people[1], SLOW)):
            factories.pair(study)
            factories.answer(person, study, **helpful("video_0") | harmless("video_0") | times)
        factories.pair(study)
        factories.answer(people[1], study, **helpful("video_0") | harmless("video_0", ["hate"]) | SLOW)
        check_new_answers()
        Finding.objects.filter(rule="contradiction").update(dismissed_at=None)
        Batch.objects.filter(study=study).update(state="annotated")
        lot = self.started(study, researcher, 0)
        of_first = lot.items.filter(assignment__person=people[0]).order_by("look_rank")
        fast, *others = of_first.values_list("suspicion", "look_rank", "stands_for_person")
        assert fast[1:] == (-fast[0] - looking.WARNING_POINTS - looking.NEW_PERSON_POINTS, True)
        assert [(rank, stands) for _points, rank, stands in others] == [(-points, False) for points, *_ in others]
        [only] = lot.items.filter(assignment__person=people[1])  # the contradictory answer is invalid: not frozen
        assert only.stands_for_person


def test_a_dismissed_finding_moves_its_answer_back_in_the_queue(study, researcher):
    person = factories.member(study, "annotator")
    factories.pair(study)
    fast = factories.answer(person, study, **helpful("video_0") | harmless("video_0") | FAST)
    check_new_answers()
    Batch.objects.filter(study=study).update(state="in_review")
    lot = factories.lot(study, factories.batch(study), state="in_review")
    item = factories.frame_item(lot, fast)
    looking.rank_again([fast.pk])
    assert waits(item)[2] == -looking.WARNING_POINTS
    finding = Finding.objects.get(rule="faster_than_videos")
    dismissing.dismiss(finding, because="A test", actor=researcher)
    assert waits(item)[2] == 0
    dismissing.bring_back(finding, actor=researcher)
    assert waits(item)[2] == -looking.WARNING_POINTS
    dismissing.dismiss_many(Finding.objects.all(), because="A test", study=study, actor=researcher)
    assert waits(item)[2] == 0


class TestCosts:
    """A lease takes the same statements in a lot of any size, and few more than a lease of a pair."""

    def statements(self, client, address, body):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            found = client.post(address, body, format="json").json()
        assert found["current"]
        assert found["next"]
        return len(queries)

    @pytest.mark.long
    def test_a_lease_of_a_review(self, study, api):
        factories.pairs(study, 6)
        annotator = factories.member(study, "annotator")
        api(annotator).post(f"/api/v1/studies/{study.slug}/assignments/")
        Assignment.objects.update(state="released", ended_at="2026-01-01T00:00Z")
        pair = self.statements(api(annotator), f"/api/v1/studies/{study.slug}/assignments/", {})
        taken = []
        for count in (4, 12):
            other = factories.study()
            lot = factories.lot_in_review(other, count)
            client = api(factories.reviewer(other))
            taken.append(
                self.statements(client, f"/api/v1/lots/{lot.pk}/reviews/", {"kind": "secondary", "ahead": True})
            )
        assert taken[0] == taken[1] <= pair + 4

    def test_the_list_of_lots_counts_up_to_a_number(self, study, browser_client, monkeypatch):
        lot = factories.lot_in_review(study, 4)
        client = browser_client(factories.reviewer(study))
        address = reverse("qc:reviews", args=[study.slug])
        assert "4 answers wait" in client.get(address).content.decode()
        monkeypatch.setattr(due, "MOST_COUNTED", 3)
        with CaptureQueriesContext(connection) as few:
            assert "more than 3 answers wait" in client.get(address).content.decode()
        for number in range(3):
            factories.lot(study, state="in_review", number=900 + number)
        with CaptureQueriesContext(connection) as many:
            client.get(address)
        assert len(many) <= len(few)
        assert due.counts(study, [lot], ["look"])[lot.pk]["look"] == 4


def test_people_of_a_reviewed_answer_are_no_longer_unknown(study):
    person = factories.member(study, "annotator")
    lot = factories.lot_in_review(study, 3, people=[person])
    looking.rank(lot)
    assert lot.items.filter(stands_for_person=True).count() == 1
    reviewer = factories.reviewer(study)
    verdicts.submit(reviewing.lease(reviewer, lot, "secondary").reviews[0], reviewer, [])
    assert set(lot.items.values_list("look_rank", "stands_for_person")) == {(None, False), (0, False)}
