"""The page Quality: what waits, what reviews found, how long it takes, and that each number leads to its rows."""

import csv
import io
import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from diptych.statistics.rates import share_between
from figures.models import QualityFigures
from figures.overview import decided, defects, forecast, stored
from figures.overview.defects import Span
from figures.tasks import count_quality_due
from qc import reviewing, verdicts, waiting
from qc.judging import Given
from qc.models import FrameItem, Lot, LotBatch, Reply, Review, Verdict
from qc.waiting import Wanted
from tests import factories
from tests.qc.reviewed import answered, in_review, spot_checked

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(browser_client, researcher):
    return browser_client(researcher)


def get(client, study, name="quality", *about, status=200, **query):
    response = client.get(reverse(f"figures:{name}", args=[study.slug, *about]), query)
    assert response.status_code == status, response.content.decode()[-2000:]
    return response


def text_of(response):
    return response.content.decode()


def csv_of(response):
    return list(csv.reader(io.StringIO(response.getvalue().decode("utf-8-sig"))))


@pytest.fixture
def busy(study, researcher):
    """Create a drawn lot with 4 answers: one fine, one defective, one disputed, one to judge. Figures are counted."""
    factories.reviewer(study)
    lot = factories.lot_in_review(study, 4, drawn=True)
    items = list(lot.items.order_by("place"))
    for item, ruling in zip(items, ("fine", "defect", "disputed"), strict=False):
        spot_checked(item, ruling)
    QualityFigures.objects.create(study=study)
    stored.count(study.pk)
    return study


def another_lot(study, count):
    """Return a second lot in review, of a batch of its own."""
    batch = factories.batch(study, number=study.batches.count() + 1)
    annotator = factories.member(study, "annotator")
    for _ in range(count):
        factories.pair(study, batch=batch)
    answers = [factories.answer(annotator, study) for _ in range(count)]
    batch.__class__.objects.filter(pk=batch.pk).update(state="in_review")
    lot = factories.lot(study, batch, state="in_review", frame_size=count, blind_share=0)
    for place, answered_one in enumerate(answers, start=1):
        factories.frame_item(lot, answered_one, place)
    return lot


def decide(lot, state, *, days=2, attempt=1):
    """Decide a lot as a row, so many days after its batches were annotated."""
    now = timezone.now()
    LotBatch.objects.filter(lot=lot).update(annotated_at=now - timedelta(days=days))
    Lot.objects.filter(pk=lot.pk).update(
        state=state, decided_at=now, decided_by=factories.person(), decision_reason="It was judged."
    )
    lot.refresh_from_db()


# --- What waits ------------------------------------------------------------------------------------------------


@pytest.mark.long
def test_each_kind_of_review_waits_from_when_it_became_due(busy):
    found = {kind: waiting.listed(busy, Wanted(kind), most=10) for kind in waiting.KINDS}
    lot = Lot.objects.get()
    assert {kind: len(rows) for kind, rows in found.items() if rows} == {"spot": 1, "adjudicate": 1}
    assert found["spot"][0].since == lot.drawn_at
    assert found["adjudicate"][0].since == Verdict.objects.get(ruling="disputed").made_at


def test_ages_begin_where_the_one_before_ends(busy):
    now = Lot.objects.get().drawn_at + timedelta(days=3)
    for moment, age in ((now - timedelta(seconds=1), "days"), (now + timedelta(seconds=1), "week")):
        assert [row["age"] for row in waiting.counts(busy, moment) if row["kind"] == "spot"] == [age]
        assert len(waiting.listed(busy, Wanted("spot", age=age), most=10, now=moment)) == 1


def test_an_answer_that_is_reviewed_now_says_by_whom_until_the_lease_ends(busy, researcher):
    checker = factories.reviewer(busy, "researcher")
    reviewing.lease(checker, Lot.objects.get(), "spot")
    assert [row.held_by for row in waiting.listed(busy, Wanted("spot"), most=10)] == [checker.pk]
    later = timezone.now() + timedelta(days=1)
    assert [row.held_by for row in waiting.listed(busy, Wanted("spot"), most=10, now=later)] == [None]


def test_an_open_reply_in_a_decided_lot_waits_for_the_adjudicator(study):
    lot = factories.lot_in_review(study, 1, drawn=True)
    spot_checked(lot.items.get(), "defect")
    decide(lot, "returned")
    assert waiting.lots_waiting(study) == []
    Reply.objects.create(study=study, item=lot.items.get(), text="I did look.")
    assert len(waiting.listed(study, Wanted("adjudicate"), most=10)) == 1


def test_rows_of_the_list_say_nothing_about_the_secret_order(study):
    lot = factories.lot_in_review(study, 6)
    rows = waiting.listed(study, Wanted("secondary"), most=10)
    assert [row.assignment for row in rows] == sorted(lot.items.values_list("assignment", flat=True))


# --- Defects, decisions, strictness ------------------------------------------------------------------------------


def test_a_row_of_an_answer_counts_as_one_defect_whichever_reviews_found_it(busy):
    item = FrameItem.objects.get(verdicts__counts=True)
    spot = Verdict.objects.get(counts=True)
    review = Review.objects.create(
        **{name: getattr(spot.review, name) for name in ("study", "lot", "item", "pair", "blind", "left", "state")},
        kind="look",
        reviewer=factories.person(),
        ended_at=spot.made_at,
        expires_at=spot.made_at,
        leased_at=spot.made_at - timedelta(hours=1),
    )
    about = {"row": "helpfulness", "ruling": "defect", "code": "other", "own": "video_1", "counts": True}
    about |= {"confirmed_by": spot.confirmed_by, "confirmed_at": spot.confirmed_at, "comment": "Again."}
    Verdict.objects.create(study=busy, review=review, item=item, annotation=item.first, **about)
    numbers = defects.counted(defects.defects(busy, Span(), decides=True))
    assert [(one.code, one.question, one.number) for one in numbers] == [("overlooked", "helpfulness", 1)]


@pytest.mark.long
def test_defects_of_a_lot_that_is_not_decided_are_only_for_people_who_decide(busy, browser_client, client):
    reviewer = browser_client(factories.member(busy, "reviewer"))
    words = escape(str(Verdict.Code.OVERLOOKED.label))
    assert words in text_of(get(client, busy))
    text = text_of(get(reviewer, busy))
    assert words not in text
    assert "No defect has been confirmed yet." in text
    assert "Strictness of reviewers" not in text
    for name in ("defects", "defects_csv", "reviewed", "reviewed_csv", "waiting", "waiting_csv"):
        get(reviewer, busy, name, status=403)
    get(reviewer, busy, "quality_csv", "strictness", status=404)
    decide(Lot.objects.get(), "accepted")
    assert words in text_of(get(reviewer, busy))


def test_first_pass_acceptance_counts_lots_and_the_time_counts_batches(study):
    for number, (state, days) in enumerate((("accepted", 1), ("accepted", 2), ("returned", 9)), start=1):
        lot = factories.lot(study, factories.batch(study, number=number), state="in_review")
        Lot.objects.filter(pk=lot.pk).update(drawn_at=timezone.now(), size=1, sample_size=1, acceptance_number=0)
        decide(lot, state, days=days)
    figures = decided.summary(decided.decided_batches(study, Span()))
    assert (figures.decided_first, figures.accepted_first, figures.decided_later) == (3, 2, 0)
    assert (figures.median.days, figures.p90.days) == (2, 9)
    assert [
        (row.attempt, row.lots, row.accepted) for row in decided.rework(decided.decided_batches(study, Span()))
    ] == [(1, 3, 2)]


def test_starting_a_review_keeps_when_its_batches_were_annotated(study, researcher):
    batch = answered(study, pairs=2)
    lot = in_review(study, researcher, 1)
    batch.refresh_from_db()
    assert LotBatch.objects.get(lot=lot).annotated_at == batch.annotated_at is not None


@pytest.mark.long
def test_strictness_counts_what_a_reviewer_calls_a_defect_before_anybody_confirms_it(study):
    lot = factories.lot_in_review(study, 3)
    reviewer = factories.reviewer(study)
    for called in ("defect", "fine", "fine"):
        review = reviewing.lease(reviewer, lot, "secondary").reviews[0]
        about = {"code": "overlooked", "own": "video_1"} if called == "defect" else {}
        annotation = review.item.assignment.standing.current_id
        verdicts.submit(review, reviewer, [Given(review.pk, annotation, "helpfulness", called, **about)])
    (row,) = stored.counted(study, timezone.now())["strictness"]
    assert row.pop("bounds") == share_between(1, 3)
    assert row == {"reviewer": reviewer.pk, "kind": "secondary", "judged": 3, "called": 1, "confirmed": 0}


def test_tags_that_stay_unsafe_are_no_call_of_a_defect(study):
    lot = factories.lot_in_review(study, 1)
    reviewer = factories.reviewer(study)
    review = reviewing.lease(reviewer, lot, "secondary").reviews[0]
    own = {"own": ["violence", "crime"]}  # the annotator tagged violence
    given = Given(review.pk, review.item.current_id, "tags_video_1", "corrected", **own)
    verdicts.submit(review, reviewer, [given])
    assert stored.counted(study, timezone.now())["strictness"][0]["called"] == 0


# --- Forecast ------------------------------------------------------------------------------------------------------


def test_the_forecast_divides_what_waits_by_the_pace_of_a_week():
    even = forecast.forecast(70, [10] * 7)
    assert (even.days, even.low, even.high) == (7, 7, 7)
    uneven = forecast.forecast(70, [0, 0, 14, 14, 14, 14, 14])
    assert uneven.days == 7
    assert uneven.low < 7 < uneven.high
    assert forecast.forecast(70, [70, 0, 0, 0, 0, 0, 0]).high is None
    assert forecast.forecast(70, [0] * 7).days is None


def test_the_pace_counts_reviews_of_the_last_seven_days_by_day(busy):
    now = timezone.now()
    for review, age in zip(Review.objects.order_by("pk"), (0.5, 6.5, 8), strict=True):
        Review.objects.filter(pk=review.pk).update(ended_at=now - timedelta(days=age))
    assert forecast.paces(busy, ["spot"], now) == {"spot": [1, 0, 0, 0, 0, 0, 1]}


# --- The page ------------------------------------------------------------------------------------------------------


@pytest.mark.long
def test_every_number_of_the_page_leads_to_as_many_rows(busy, client):
    lot = Lot.objects.get()
    spot_checked(lot.items.order_by("place")[3], "fine")
    stored.count(busy.pk)
    second = another_lot(busy, 3)
    decide(lot, "accepted")
    stored.count(busy.pk)
    response = get(client, busy)
    seen = set()
    for _key, _title, tables in response.context["sections"]:
        for table in tables:
            for row, _is_total in table.lines():
                for column, cell in row:
                    if cell.href and column.numeric and isinstance(cell.value, int) and "lots" not in column.key:
                        rows = client.get(cell.href).context["page"].paginator.count
                        assert rows == cell.value, (table.name, column.key, cell.href)
                        seen.add((table.name, column.key))
    assert {("waiting-by-lot", "secondary"), ("defects-by-reason", "defects"), ("strictness", "judged")} <= seen
    assert {("forecast", "reviewed_in_7_days"), ("decisions-by-week", "batches"), ("strictness", "called")} <= seen
    assert second.number in {row["lot"] for row in QualityFigures.objects.get().figures["waiting"]}


def test_each_table_is_sent_as_csv_with_the_numbers_of_the_page(busy, client):
    names = re.findall(r'data-table="([^"]+)"', text_of(get(client, busy)))
    assert "waiting-by-kind" in names
    for name in names:
        rows = csv_of(get(client, busy, "quality_csv", name))
        assert len(set(map(len, rows))) == 1, name
    assert ["spot", "1", "0", "0", "0", "1", "0", "0"] in csv_of(get(client, busy, "quality_csv", "waiting-by-kind"))
    header, line = csv_of(get(client, busy, "defects_csv"))
    assert dict(zip(header, line, strict=True))["reason"] == "overlooked"
    get(client, busy, "quality_csv", "no-such-table", status=404)


@pytest.mark.long
def test_a_filter_for_one_lot_and_a_day_stands_in_the_address(busy, client):
    other = another_lot(busy, 2)
    stored.count(busy.pk)
    text = text_of(get(client, busy, lot=other.number))
    assert f"lot={other.number}" in text
    assert "No defect has been confirmed yet." in text
    assert "No defect has been confirmed yet." in text_of(get(client, busy, since="2999-01-01"))
    assert "This study has no lot 99" in text_of(get(client, busy, lot=99, status=400))
    get(client, busy, "waiting", kind="odd", status=400)
    get(client, busy, "defects", code="odd", status=400)


def test_the_page_of_a_study_without_lots_says_so(study, client):
    text = text_of(get(client, study))
    assert "Not counted yet" in text
    assert "No lot has been decided yet." in text
    assert "There is nothing yet" in text_of(get(client, study, "defects"))


@pytest.mark.long
def test_the_page_runs_as_many_queries_with_many_rows_as_with_few(busy, client, django_assert_max_num_queries):
    with django_assert_max_num_queries(30) as few:
        get(client, busy)
    for _ in range(3):
        another_lot(busy, 2)
    stored.count(busy.pk)
    with django_assert_max_num_queries(len(few)):
        get(client, busy)


def test_a_program_reads_the_same_tables_and_a_reviewer_no_undecided_defects(busy, researcher, api):
    address = reverse("api:quality", args=[busy.slug])
    found = {table["name"]: table["rows"] for table in api(researcher).get(address).json()["tables"]}
    assert found["defects-by-reason"] == [{"reason": "overlooked", "defects": 1}]
    assert {row["kind"]: row["waits"] for row in found["waiting-by-kind"]}["spot"] == 1
    theirs = api(factories.member(busy, "reviewer")).get(address).json()["tables"]
    assert {table["name"]: table["rows"] for table in theirs}["defects-by-reason"] == []
    assert "strictness" not in {table["name"] for table in theirs}


# --- Stored figures ----------------------------------------------------------------------------------------------


def test_figures_are_counted_when_a_lot_is_in_review_and_again_only_after_a_while(study):
    assert count_quality_due() == 0
    factories.lot_in_review(study, 1)
    assert count_quality_due() == 1
    assert count_quality_due() == 0
    old = timezone.now() - timedelta(minutes=2)
    QualityFigures.objects.update(made_at=old)
    assert count_quality_due() == 1
    QualityFigures.objects.update(made_at=old, took_ms=60_000)  # so long a counting has a longer pause
    assert count_quality_due() == 0


def test_somebody_asks_for_new_figures_and_they_are_counted_once(study, client):
    response = client.post(reverse("figures:recount_quality", args=[study.slug]), follow=True)
    assert "The figures are being counted." in text_of(response)
    assert stored.due(timezone.now()) == [study.pk]
    assert stored.count(study.pk)
    assert stored.due(timezone.now()) == []
