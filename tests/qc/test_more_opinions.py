"""One more answer is asked for where answers disagree or are disputed: one at a time, up to what the study wants."""

import threading

import pytest
from django.db import transaction

from accounts.models import AuditEvent
from annotation import offering, serving
from annotation.models import Assignment, Standing
from catalog.models import Batch, Pair
from catalog.pair_changes.effects import new_values
from qc import more_opinions
from qc.decisions import Wanted, decide
from qc.models import AskedForMore
from qc.tasks import ask_for_more_opinions, find_disagreement
from studies.models import Study
from tests import factories
from tests.annotation.recounting import contradictions
from tests.annotation.test_concurrency import at_once
from tests.annotation.test_revisions import revise
from tests.findings.finding import CONTRADICTORY, harmless, helpful
from tests.qc.reviewed import answered, in_review, judge

pytestmark = pytest.mark.django_db

FIRST, SECOND = helpful("video_0") | harmless("video_0"), helpful("video_1") | harmless("video_0")
TIE = helpful("tie") | harmless("video_0")
SAFER = helpful("video_0") | harmless("video_1")
TAGGED = helpful("video_0") | harmless("video_0", [], ["hate"])


@pytest.fixture
def study(db):
    return factories.study(more_answers=2)


def answer_all(study, *bodies, **values):
    """Return a pair that as many people answered, in this way."""
    pair = factories.pair(study, wanted=len(bodies), **values)
    for body in bodies:
        factories.answer(factories.member(study, "annotator"), study, **body)
    return pair


def complete(study):
    Batch.objects.filter(study=study).update(state="annotated")


def asked(pair):
    """Return the reasons of each answer that was asked for, after all that is due."""
    ask_for_more_opinions()
    assert not contradictions(pair.study_id)
    return [row.because for row in AskedForMore.objects.filter(pair=pair).order_by("number")]


class TestDisagreement:
    def test_one_more_person_is_asked_and_the_batch_opens_again(self, study):
        pair = answer_all(study, FIRST, SECOND)
        complete(study)
        assert asked(pair) == [["helpfulness"]]
        pair.refresh_from_db()
        assert (pair.wanted, pair.open_slots, pair.more_open, pair.more_asked) == (3, 1, 1, 1)
        assert Batch.objects.get().state == "open"
        row = AskedForMore.objects.get()
        assert row.answers == sorted(Standing.objects.values_list("current", flat=True))
        assert AuditEvent.objects.filter(action="pair.asked_for_more").get().after["number"] == 1
        more = factories.answer(factories.member(study, "annotator"), study, **FIRST)
        assert more.asked_because == "more_opinions"
        assert asked(pair) == [["helpfulness"]]  # two of three now

    @pytest.mark.parametrize(
        ("bodies", "because"),
        [
            ([FIRST, FIRST], []),
            ([FIRST], []),
            ([FIRST, SAFER], ["harmlessness"]),
            ([FIRST, TAGGED], ["safety"]),
            ([SECOND, TAGGED], ["helpfulness", "safety"]),
            ([FIRST, FIRST, SECOND], []),  # a majority
            ([FIRST, SECOND, TIE], ["helpfulness"]),
            ([TIE, TIE, SECOND], []),
        ],
    )
    def test_answers_disagree_if_no_choice_has_more_than_half(self, study, bodies, because):
        assert asked(answer_all(study, *bodies)) == ([because] if because else [])

    @pytest.mark.parametrize(
        ("name", "body"),
        [("more_for_helpfulness", SECOND), ("more_for_harmlessness", SAFER), ("more_for_safety", TAGGED)],
    )
    def test_only_questions_that_the_study_chose_matter(self, study, name, body):
        Study.objects.filter(pk=study.pk).update(**{name: False})
        assert asked(answer_all(study, FIRST, body)) == []

    def test_never_more_than_the_study_wants(self, study):
        pair = answer_all(study, FIRST, SECOND)
        for body in (TIE, SAFER | helpful("tie")):  # after each, no choice has more than half
            assert asked(pair)[-1] == ["helpfulness"]
            factories.answer(factories.member(study, "annotator"), study, **body)
        assert len(asked(pair)) == 2
        assert not Standing.objects.filter(opinions_due=True).exists()

    def test_invalid_answers_and_answers_that_do_not_count_are_not_compared(self, study):
        pair = answer_all(study, FIRST, CONTRADICTORY | helpful("video_1"))
        assert Standing.objects.filter(validity="invalid", counted=True).count() == 1
        assert asked(pair) == []

    def test_a_study_that_asks_for_none_leaves_nothing_due(self, study):
        Study.objects.filter(pk=study.pk).update(more_answers=0)
        pair = answer_all(study, FIRST, SECOND)
        assert not Standing.objects.filter(opinions_due=True).exists()
        assert asked(pair) == []


class TestWhen:
    def test_not_before_the_pair_has_all_its_answers(self, study):
        pair = factories.pair(study, wanted=3)
        for body in (FIRST, SECOND):
            factories.answer(factories.member(study, "annotator"), study, **body)
        assert asked(pair) == []
        serving.lease(factories.member(study, "annotator"), study)  # no open slot, but somebody has the pair
        more_opinions.ask_everywhere()
        assert asked(pair) == []

    def test_a_change_of_an_answer_is_looked_at(self, study):
        pair = answer_all(study, FIRST, FIRST)
        assert asked(pair) == []
        first = Assignment.objects.select_related("study").first()
        revise(first, **SECOND)
        assert asked(pair) == [["helpfulness"]]

    def test_an_answer_that_counts_again_is_looked_at(self, study):
        pair = answer_all(study, FIRST, SECOND)
        standing = Standing.objects.first()
        offering.reject(standing, reason="defect", actor=None)
        assert asked(pair) == []
        offering.restore(standing, actor=None)
        assert asked(pair) == [["helpfulness"]]

    def test_never_for_held_pairs_and_controls(self, study):
        pair = answer_all(study, FIRST, SECOND)
        Pair.objects.update(held="a researcher looks at it")
        assert asked(pair) == []
        Pair.objects.update(held="", kind="control", expected={})
        assert more_opinions.ask_everywhere() == 0

    @pytest.mark.long
    def test_the_sweep_looks_at_some_pairs_at_a_time_and_passes_over_batches_in_review(self, study, monkeypatch):
        monkeypatch.setattr(more_opinions, "PAIRS_AT_ONCE", 2)
        pairs = [answer_all(study, FIRST, SECOND) for _ in range(5)]
        answer_all(study, FIRST, SECOND, batch=factories.batch(study, number=2))
        Batch.objects.filter(number=2).update(state="in_review")
        looked_at = [sorted(some) for some in more_opinions._candidates(study)]
        assert [len(some) for some in looked_at] == [2, 2, 1, 0]
        assert sorted(key for some in looked_at for key in some) == [pair.pk for pair in pairs]
        assert more_opinions.ask_everywhere() == 5

    def test_never_in_a_batch_in_review_and_after_it_only_if_it_is_returned(self, study):
        pair = answer_all(study, FIRST, SECOND)
        for state, due in (("in_review", True), ("accepted", False)):
            Batch.objects.update(state=state)
            assert asked(pair) == []
            assert Standing.objects.filter(opinions_due=True).exists() == due
        Standing.objects.update(opinions_due=True)
        Batch.objects.update(state="returned")
        assert asked(pair) == [["helpfulness"]]

    def test_not_in_a_closed_study_and_later_when_it_is_opened_again(self, study):
        pair = answer_all(study, FIRST, SECOND)
        Study.objects.filter(pk=study.pk).update(state="closed")
        assert asked(pair) == []
        Study.objects.filter(pk=study.pk).update(state="running")
        assert asked(pair) == [["helpfulness"]]

    @pytest.mark.long
    def test_the_sweep_finds_pairs_that_are_complete_since_or_whose_study_asks_since(self, study):
        Study.objects.filter(pk=study.pk).update(more_answers=0)
        before = answer_all(study, FIRST, SECOND)
        Study.objects.filter(pk=study.pk).update(more_answers=1)
        fewer = answer_all(Study.objects.get(pk=study.pk), FIRST, SECOND)
        Pair.objects.filter(pk=fewer.pk).update(wanted=3, open_slots=1)
        assert asked(fewer) == []
        Pair.objects.filter(pk=fewer.pk).update(**new_values("overlap", 2))
        assert asked(fewer) == []
        assert find_disagreement() == 2
        assert asked(before) == asked(fewer) == [["helpfulness"]]
        assert find_disagreement() == 0


@pytest.mark.long
class TestDisputed:
    @pytest.fixture
    def returned(self, study, researcher):
        """A lot of single answers that was returned although one of them is disputed."""
        answered(study, pairs=10)
        lot = in_review(study, researcher)
        judge(lot, defects=1, disputed=1)  # the defect decides, not the dispute
        item = lot.items.get(sample_place=9)
        Standing.objects.filter(pk=item.assignment_id).update(opinions_due=False)
        ask_for_more_opinions()
        assert not AskedForMore.objects.exists()
        decide(lot, Wanted("returned", "Too many defects.", ask_again="defects"), actor=researcher)
        return item

    def test_it_asks_for_one_more_when_its_lot_is_returned_and_not_twice(self, study, returned):
        pair = returned.assignment.pair
        assert asked(pair) == [["disputed"]]
        assert AskedForMore.objects.count() == 1
        somebody = factories.member(study, "annotator")
        reasons = {factories.answer(somebody, study).asked_because for _ in range(2)}
        assert reasons == {"more_opinions", "replacement"}  # the defect is replaced too
        assert asked(pair) == [["disputed"]]

    def test_the_second_answer_can_disagree(self, study, returned):
        pair = returned.assignment.pair
        assert asked(pair) == [["disputed"]]
        Pair.objects.exclude(pk=pair.pk).update(held="only the disputed pair is answered")
        factories.answer(factories.member(study, "annotator"), study, **SECOND)
        assert asked(pair)[1:] == [["helpfulness", "safety"]]


@pytest.mark.long
class TestAtOnce:
    pytestmark = pytest.mark.django_db(transaction=True)

    def test_two_tasks_at_once_ask_once(self, study):
        for _ in range(4):
            answer_all(study, FIRST, SECOND)
        results = at_once(*[more_opinions.ask_where_due] * 4)
        assert [one for one in results if isinstance(one, Exception)] == []
        ask_for_more_opinions()
        assert set(Pair.objects.values_list("wanted", "open_slots", "more_asked")) == {(3, 1, 1)}
        assert not contradictions(study.pk)

    @pytest.mark.parametrize("locked", [Pair, Batch])
    def test_what_somebody_has_locked_stays_due(self, study, locked):
        pair = answer_all(study, FIRST, SECOND)
        looked_at = []
        with transaction.atomic():
            locked.objects.select_for_update(no_key=True).get()
            looking = threading.Thread(target=lambda: looked_at.append(at_once(more_opinions.ask_where_due)))
            looking.start()
            looking.join()
        assert looked_at == [[0]]
        assert Standing.objects.filter(opinions_due=True).count() == 2
        assert asked(pair) == [["helpfulness"]]

    def test_a_lot_whose_review_begins_at_the_same_moment_is_not_asked(self, study):
        pair = answer_all(study, FIRST, SECOND)
        with transaction.atomic():
            Batch.objects.update(state="in_review")
            looking = threading.Thread(target=lambda: at_once(more_opinions.ask_where_due))
            looking.start()
            looking.join()
        assert asked(pair) == []


class TestPages:
    def test_the_page_of_the_pair_says_when_and_why_and_the_library_lists_such_pairs(
        self, study, researcher, browser_client
    ):
        pair, other = answer_all(study, FIRST, SECOND), answer_all(study, FIRST, FIRST)
        assert asked(pair) == [["helpfulness"]]
        client = browser_client(researcher)
        page = client.get(f"/studies/{study.slug}/library/pairs/{pair.public_id}/").content.decode()
        assert "Answers disagree about which video is more helpful." in page
        assert "The study asks for at most 2 more answers on a pair." in page
        listed = client.get(f"/studies/{study.slug}/library/pairs/", {"more_asked": "yes"}).content.decode()
        assert pair.public_id[:12] in listed
        assert other.public_id[:12] not in listed

    def test_somebody_who_annotates_does_not_learn_it_before_they_have_answered(
        self, study, researcher, browser_client
    ):
        pair = answer_all(study, FIRST, SECOND)
        assert asked(pair) == [["helpfulness"]]
        researcher.memberships.create(study=study, role="annotator")
        page = browser_client(researcher).get(f"/studies/{study.slug}/library/pairs/{pair.public_id}/")
        assert "Answers disagree" not in page.content.decode()
