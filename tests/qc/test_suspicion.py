"""Points for the look-here queue: what an answer and its annotator say by themselves, when the review starts."""

import pytest

from qc import looking, lots, reviewing, suspicion, verdicts
from qc.models import FrameItem
from qc.models.reviews import Kind
from tests import factories
from tests.qc.many_answers import give, review_blind
from tests.qc.reviewed import in_review

pytestmark = pytest.mark.django_db

#: All parts prefer the one video, and the overall answer the other.
AGAINST = {
    "helpfulness": {
        **dict.fromkeys(("instruction_following", "correctness", "informativeness", "aesthetics"), "video_1"),
        "overall": "video_0",
    }
}
WITH = {"helpfulness": AGAINST["helpfulness"] | {"overall": "video_1"}}


@pytest.fixture
def study():
    return factories.study(secondary_share=0)


@pytest.fixture
def annotator(study):
    return factories.member(study, "annotator")


@pytest.fixture
def researcher(study):
    return factories.member(study, "researcher")


def item_of(assignment):
    return FrameItem.objects.get(assignment=assignment)


def points_of(people):
    """Return the different points of the frozen answers of each of these people."""
    rows = FrameItem.objects.filter(assignment__person__in=people)
    return [set(rows.filter(assignment__person=one).values_list("suspicion", flat=True)) for one in people]


def test_an_overall_answer_against_its_parts_comes_first_and_the_reviewer_reads_why(study, annotator, researcher):
    factories.pairs(study, 3)
    plain, against, same = (factories.answer(annotator, study, **said) for said in (WITH, AGAINST, WITH))
    lot = in_review(study, researcher)
    assert 5 <= item_of(against).suspicion - item_of(plain).suspicion <= 9  # 7, and up to 2 for the side
    assert item_of(against).signals == ["against_parts"]
    assert item_of(plain).signals == item_of(same).signals == []
    reviewer = factories.reviewer(study)
    review = reviewing.lease(reviewer, lot, "look").reviews[0]
    assert (review.item.assignment_id, review.look_reasons) == (against.pk, ["against_parts", "never_reviewed"])
    verdicts.submit(review, reviewer, [])
    review.refresh_from_db()
    assert looking.words_of(review)[0] == "The overall choice goes against the choices on single questions"


def test_ties_are_against_nothing(study, annotator, researcher):
    study.allow_ties = True
    study.save(update_fields=["allow_ties"])
    factories.pair(study)
    tied = dict.fromkeys(AGAINST["helpfulness"], "tie") | {"overall": "video_0"}
    answer = factories.answer(annotator, study, helpfulness=tied)
    in_review(study, researcher)
    assert (item_of(answer).suspicion, item_of(answer).signals) == (1, [])  # 1 for the side


def test_choices_on_the_side_that_a_person_takes_more_often_get_points(study, annotator, researcher):
    other = factories.member(study, "annotator")
    given = give(annotator, study, 40)  # all on the left
    give(other, study, 3)
    in_review(study, researcher)
    biased, few = points_of([annotator, other])
    assert biased == {14}  # 21 · 0.5 · 40 / 60 · 2
    assert max(few) < 14
    assert item_of(given[0]).signals == ["favoured_side"]


def test_people_with_more_findings_than_others_get_points_for_all_their_answers(study, annotator, researcher):
    other = factories.member(study, "annotator")
    given = give(annotator, study, 20, fast=10)
    give(other, study, 20)
    in_review(study, researcher)
    often, seldom = points_of([annotator, other])
    assert min(often) - max(seldom) == 5  # +3, and −2 at the least
    assert "often_fast" in item_of(given[-1]).signals


@pytest.mark.long
@pytest.mark.parametrize(("kind", "counts"), [("spot", True), ("look", False)])
def test_defects_of_earlier_lots_count_if_their_answers_were_drawn(study, annotator, researcher, kind, counts):
    other = factories.member(study, "annotator")
    review_blind(give(annotator, study, 30) + give(other, study, 30), defects=12, kind=kind)
    into = factories.batch(study, number=7)
    new = []
    for person in (annotator, other):
        factories.pair(study, batch=into)
        new.append(factories.answer(person, study, **WITH))
    lot = lots.put_together(study, [7], actor=researcher)
    assert lots.start(lot, actor=researcher)
    found = [FrameItem.objects.get(lot=lot, assignment=one) for one in new]
    assert ("earlier_defects" in found[0].signals) is counts
    assert (found[0].suspicion > found[1].suspicion) is counts


def test_a_look_takes_only_the_suspicious_answers_of_a_pair(study, annotator, researcher):
    factories.pair(study, wanted=2)
    factories.answer(annotator, study, **WITH)
    against = factories.answer(factories.member(study, "annotator"), study, **AGAINST)
    lot = in_review(study, researcher)
    first = reviewing.lease(factories.reviewer(study), lot, "look").reviews
    assert [one.item.assignment_id for one in first] == [against.pk]


def test_points_change_neither_the_order_nor_the_sample_of_the_frame(study, annotator, researcher):
    """Only the look-here queue reads them: the order of all other kinds is that of the seed."""
    from qc import due

    assert {kind for kind, order in due.ORDER.items() if "rank" in order} == {Kind.LOOK}
    give(annotator, study, 20, fast=10)
    lot = in_review(study, researcher)
    sampled = FrameItem.objects.filter(lot=lot, sample_place__isnull=False)
    assert list(sampled.order_by("place").values_list("sample_place", flat=True)) == list(range(1, sampled.count() + 1))
    assert max(sampled.values_list("place", flat=True)) == sampled.count()


def test_rating_twice_changes_nothing(study, annotator, researcher):
    give(annotator, study, 20, fast=10)
    lot = in_review(study, researcher)
    before = list(FrameItem.objects.order_by("pk").values_list("suspicion", "signals"))
    suspicion.rate(lot)
    assert list(FrameItem.objects.order_by("pk").values_list("suspicion", "signals")) == before
