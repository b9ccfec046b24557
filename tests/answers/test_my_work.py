"""What people see of their own work, and what they never see."""

import uuid
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts import days
from accounts.models import ViewingPreference
from annotation import revisions
from annotation.answers import Answers
from annotation.models import Assignment, Break, Dose, Standing
from answers import my_work
from catalog.models import Batch, Pair
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def look(study, annotator, browser_client):
    """Return a function that gets the page as text."""

    def at(person=annotator, **query):
        response = browser_client(person).get(reverse("answers:my_work", args=[study.slug]), query)
        assert response.status_code == 200
        return response.content.decode()

    return at


def test_the_workspace_links_to_it(browser_client, study, annotator):
    workspace = browser_client(annotator).get(reverse("annotation:workspace", args=[study.slug])).content.decode()
    assert f'href="{reverse("answers:my_work", args=[study.slug])}">My work' in workspace


def test_a_new_person_reads_that_there_is_nothing_yet(look):
    assert "You have no answers yet." in look()


def test_own_answers_are_there_and_nobody_elses(look, study, annotator):
    pairs = factories.pairs(study, 4)
    other = factories.member(study, "annotator")
    own = factories.answer(annotator, study)
    others = factories.answer(other, study)
    prompts = {pair.pk: pair.prompt.text for pair in pairs}
    page = look()
    assert prompts[own.pair_id] in page
    assert prompts[others.pair_id] not in page
    assert other.username not in page


def test_an_answer_can_be_changed_within_the_window_and_only_read_after_it(look, study, annotator):
    factories.pair(study)
    answer = factories.answer(annotator, study)
    assert f"?reopen={answer.pk}" in look()
    Assignment.objects.update(ended_at=timezone.now() - timedelta(seconds=study.reopen_s + 1))
    page = look()
    assert "reopen=" not in page
    assert "The time limit for changing this answer has passed." in page


def test_in_a_batch_in_review_no_answer_can_be_changed(look, study, annotator):
    factories.pair(study)
    factories.answer(annotator, study)
    Batch.objects.update(state="in_review")
    assert "reopen=" not in look()


def test_the_page_names_the_side_of_each_chosen_video(study, annotator):
    factories.pair(study)
    answer = factories.answer(annotator, study)
    [line] = my_work.answers(study, annotator, my_work.recent(study, annotator).rows)
    chosen = {str(one.question): str(one.answer) for one in line.lines}
    assert chosen["Overall safer"] == ("Left" if answer.left == "video_0" else "Right")
    tags = {"video_0": line.tags_left, "video_1": line.tags_right}
    tagged = tags["video_1" if answer.left == "video_0" else "video_0"]
    assert tagged == ["Violence, Injury, Gory Content"]


def test_pages_follow_one_another_without_gaps_whatever_is_answered_meanwhile(study, annotator, monkeypatch):
    monkeypatch.setattr(my_work, "PAGE", 3)
    factories.pairs(study, 8)
    moment = timezone.now()
    answers = [factories.answer(annotator, study) for _ in range(7)]
    Assignment.objects.filter(pk__in=[answer.pk for answer in answers[:4]]).update(ended_at=moment)  # the same moment
    first = my_work.recent(study, annotator)
    factories.answer(annotator, study)
    seen, page = [row.pk for row in first.rows], first
    while page.next:
        page = my_work.recent(study, annotator, after=page.next)
        seen += [row.pk for row in page.rows]
    assert len(seen) == len(set(seen)) == 7
    assert [row.pk for row in my_work.recent(study, annotator, before=page.previous).rows] == seen[3:6]


@pytest.mark.parametrize("place", ["nonsense", "~", "-1", "1.5", "²", "9" * 30, "{other}"])
@pytest.mark.parametrize("way", ["after", "before"])
def test_a_place_that_is_none_begins_at_the_start(study, annotator, look, place, way):
    factories.pair(study, wanted=2)
    factories.answer(annotator, study)
    others = factories.answer(factories.member(study, "annotator"), study)
    place = place.format(other=others.pk)
    assert len(my_work.recent(study, annotator, **{way: place}).rows) == 1
    assert "Your answers" in look(**{way: place})


def test_active_time_is_by_day_in_the_persons_own_zone_and_counts_changes(study, annotator):
    factories.pair(study)
    answer = factories.answer(annotator, study)
    body = factories.body(harmlessness={"video_0": {"tags": []}, "video_1": {"tags": []}, "overall": "video_1"})
    revisions.revise(
        answer, annotator, submission_id=uuid.uuid4(), timings_ms={}, viewing={}, reason="reopened",
        answers=Answers.from_body(body["helpfulness"], body["harmlessness"]),
    )  # fmt: skip
    annotator.time_zone = "Pacific/Auckland"
    [day] = my_work.summary(study, annotator).days
    assert day.day == timezone.localdate(timezone=days.zone_of(annotator))
    assert day.answers == 1


@pytest.mark.long
def test_feedback_is_shown_only_if_the_study_shares_it(look, study, annotator):
    factories.pair(study)
    factories.answer(
        annotator, study, harmlessness={"video_0": {"tags": ["crime"]}, "video_1": {"tags": []}, "overall": "video_0"}
    )
    assert "Not used" not in look()
    study.share_feedback = True
    study.save()
    assert "Not used: the video with harm tags was chosen as the safer one." in look()
    Standing.objects.update(reason="off_guideline")
    assert "Not used after review. Reason: off guideline." in look()
    Standing.objects.update(validity=Standing.Validity.VALID, reason="")
    assert "Nobody else has changed this answer." in look()
    Pair.objects.update(held="looked at")
    assert "Kept, but not used for now: this pair is on hold." in look()


def test_dose_and_breaks_are_the_persons_own(look, study, annotator):
    now = timezone.now()
    Dose.objects.create(person=annotator, day=now.date(), seconds=720)
    Break.objects.create(study=study, person=annotator, why="work", began_at=now, ends_at=now + timedelta(minutes=10))
    assert "Possibly harmful video today: 12 minutes. Your limit is 2 hours." in look()
    assert "Paid breaks:" in look()
    Dose.objects.update(seconds=7200)
    assert "Possibly harmful video today: 2 hours. You have reached your limit of 2 hours." in look()
    other = factories.member(study, "annotator")
    assert "You have seen no possibly harmful video today." in look(other)


@pytest.mark.long
def test_the_page_needs_the_same_queries_for_any_number_of_answers(
    study, annotator, browser_client, django_assert_max_num_queries
):
    factories.pairs(study, 25)
    client, address = browser_client(annotator), reverse("answers:my_work", args=[study.slug])
    for _ in range(21):
        factories.answer(annotator, study)
    with django_assert_max_num_queries(17):
        client.get(address)


FILTERED = [
    ("blur", [], [], True),
    ("blur", ["crime"], [], False),
    ("greyscale", ["crime"], [], False),
    ("blur", [], ["crime"], False),  # as the person tagged it
    ("none", ["crime"], [], True),
]


@pytest.mark.parametrize(("media_filter", "may_show", "tags", "is_shown"), FILTERED)
def test_a_thumbnail_is_shown_only_if_the_persons_filter_covers_nothing(
    look, study, annotator, media_filter, may_show, tags, is_shown
):
    """The page does not even contain the address of a picture, so no browser can show it."""
    study.media_filter = "none" if media_filter != "none" else "blur"
    study.save()
    ViewingPreference.objects.create(user=annotator, media_filter=media_filter)
    pair = factories.pair(study, may_show=may_show)
    factories.answer(
        annotator, study, harmlessness={"video_0": {"tags": tags}, "video_1": {"tags": []}, "overall": "video_1"}
    )
    page = look()
    assets = [pair.video_0.asset.public_id, pair.video_1.asset.public_id]
    assert [asset in page for asset in assets] == [is_shown, is_shown]
    assert ("No picture: this pair may show harmful content." in page) != is_shown
    Pair.objects.update(held="reported")
    assert not any(asset in look() for asset in assets)


def test_rows_carry_the_persons_own_number_of_the_pair(study, annotator, api):
    factories.pairs(study, 4)
    given = [factories.answer(annotator, study) for _ in range(3)]
    lines = my_work.answers(study, annotator, my_work.recent(study, annotator).rows)
    assert [(line.assignment.pk, line.number) for line in lines] == [
        (given[2].pk, 3),
        (given[1].pk, 2),
        (given[0].pk, 1),
    ]
    assert api(annotator).get(f"/api/v1/assignments/{given[1].pk}/reopen/").json()["number"] == 2


@pytest.mark.parametrize("zone", ["Asia/Calcutta", "Etc/GMT-14", "Africa/Cairo", "Pacific/Auckland"])
def test_days_are_those_of_any_zone_that_a_browser_names(look, study, annotator, zone):
    """PostgreSQL gets no time zone from the page, because it may not know it."""
    annotator.time_zone = zone
    annotator.save()
    factories.pair(study)
    factories.answer(annotator, study)
    [day] = my_work.summary(study, annotator).days
    assert (day.day, day.answers) == (timezone.localdate(timezone=days.zone_of(annotator)), 1)
    assert look()
