"""Who sees a study's answers: the people who run it, and never annotators and blind reviewers (protocol, rule 4)."""

import csv
import io
import uuid

import pytest
from django.urls import reverse

from annotation import corrections, offering, revisions, serving, skipping
from annotation.answers import Answers
from annotation.models import Assignment, Standing
from annotation.standings import change_standing
from catalog.models import Pair
from catalog.models.pairs import QUARANTINED
from studies.models import Membership
from studies.pseudonyms import pseudonym
from tests import factories

pytestmark = pytest.mark.django_db

CONTRADICTORY = {"harmlessness": {"video_0": {"tags": ["violence"]}, "video_1": {"tags": []}, "overall": "video_0"}}


@pytest.fixture
def look(study, researcher, browser_client):
    """Return a function that gets a page of the study as text."""

    def at(name, *arguments, person=researcher, status=200, **query):
        response = browser_client(person).get(reverse(name, args=[study.slug, *arguments]), query)
        assert response.status_code == status
        return response.content.decode()

    return at


def test_the_page_of_a_pair_says_who_answered_what_and_how_each_answer_stands(look, study, annotator):
    pair = factories.pair(study, wanted=2)
    answer = factories.answer(annotator, study)
    factories.answer(factories.member(study, "annotator"), study, **CONTRADICTORY)
    code = pseudonym(study, annotator.pk)
    page = look("catalog:pair", pair.public_id)
    assert code in page
    assert annotator.username not in page
    assert page.count("<tbody>") == 2
    assert "Violence, Injury, Gory Content" in page
    assert "The video with harm tags was chosen as the safer one." in page
    change_standing(answer.standing, actor=None, counts=False, uncounted_reason="rejected")
    assert "Review rejected it." in look("catalog:pair", pair.public_id)


def test_every_revision_is_there_and_the_one_that_stands_is_marked(look, study, annotator, researcher):
    pair = factories.pair(study)
    answer = factories.answer(annotator, study)
    body = factories.body()
    body["helpfulness"]["overall"] = "video_1"
    changed = Answers.from_body(body["helpfulness"], body["harmlessness"])
    revisions.revise(
        answer, annotator, submission_id=uuid.uuid4(), answers=changed, timings_ms={}, viewing={}, reason="reopened"
    )
    corrected = Answers.from_annotation(Standing.objects.get().current)
    corrected = Answers(**corrected.columns() | {"tags_video_0": ("crime",), "tags_video_1": ("hate",)})
    corrections.correct(answer, researcher, submission_id=uuid.uuid4(), answers=corrected, comment="Both show harm.")
    page = look("catalog:pair", pair.public_id)
    assert "revision 1, first answer" in page
    assert "revision 2, reopened" in page
    assert "revision 3, corrected by a reviewer" in page
    assert "Both show harm." in page
    assert page.count("replaced by a later revision") == 2


def test_skips_that_protect_their_person_are_not_shown_and_others_are(look, study):
    pair = factories.pair(study)
    for reason in ("technical_problem", "too_distressing", "not_revealed"):
        person = factories.member(study, "annotator")
        factories.assignment(study, person, pair, state="skipped", skip_reason=reason)
    page = look("catalog:pair", pair.public_id)
    assert "Technical problem" in page
    assert "Too distressing" not in page
    hidden = Assignment.objects.exclude(skip_reason="technical_problem").values_list("person", flat=True)
    assert not [person for person in hidden if pseudonym(study, person) in page]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, 3),
        ({"standing": "contradiction"}, 1),
        ({"standing": "invalid"}, 1),
        ({"standing": "uncounted"}, 1),
        ({"standing": "counted"}, 2),
        ({"revised": "yes"}, 0),
        ({"tag": "violence"}, 3),
        ({"tag": "nothing"}, 0),
        ({"batch": 1}, 3),
        ({"batch": 2}, 0),
        ({"author": "first"}, 1),
        ({"q": "pair"}, 2),
    ],
)
def test_the_list_is_filtered(study, researcher, browser_client, annotator, query, expected):
    pairs = factories.pairs(study, 2, wanted=2)
    first = factories.answer(annotator, study)
    second = factories.answer(annotator, study, **CONTRADICTORY)
    other = factories.answer(factories.member(study, "annotator"), study)
    change_standing(first.standing, actor=None, counts=False, uncounted_reason="returned")
    assert {first.pair_id, second.pair_id} == {pair.pk for pair in pairs}
    shared = Pair.objects.get(pk=other.pair_id)
    known = {"first": pseudonym(study, other.person_id)[:8], "pair": shared.public_id[:20]}
    query = {name: known.get(value, value) for name, value in query.items()}
    client = browser_client(researcher)
    response = client.get(reverse("answers:list", args=[study.slug]), query)
    assert response.status_code == 200
    assert len(response.context.get("rows", [])) == expected
    sent = client.get(reverse("answers:list_csv", args=[study.slug]), query)
    assert sent.status_code == 200, sent.content
    lines = list(csv.DictReader(io.StringIO(b"".join(sent).decode("utf-8-sig"))))
    assert len(lines) == expected
    if query.get("standing") == "contradiction":
        assert lines[0]["invalid_because"] == "contradiction"
        assert lines[0]["author"] == pseudonym(study, annotator.pk)
        assert lines[0]["harmlessness"] == "video_0"
        assert lines[0]["tags_video_0"] == "violence"


def test_a_filter_that_makes_no_sense_is_named(look):
    assert "Enter at least the first 4 characters" in look("answers:list", status=400, author="zz")


def test_people_who_run_the_study_and_annotate_see_others_answers_only_after_their_own(look, study, researcher):
    Membership.objects.create(study=study, person=researcher, role="annotator")
    other = factories.member(study, "annotator")
    pair = factories.pair(study, wanted=2)
    factories.answer(other, study)
    code = pseudonym(study, other.pk)
    assert code not in look("catalog:pair", pair.public_id)
    assert code not in look("answers:list")
    factories.assignment(study, researcher, pair, state="submitted")
    assert code in look("catalog:pair", pair.public_id)
    assert code in look("answers:list")


def test_answers_on_a_pair_in_quarantine_are_not_listed(look, study, annotator):
    factories.pair(study)
    factories.answer(annotator, study)
    Pair.objects.update(held=QUARANTINED)
    page = look("answers:list")
    assert pseudonym(study, annotator.pk) not in page
    assert "Nobody has answered a pair yet" in page


@pytest.mark.long
def test_comments_and_unsure_marks_are_shown_with_the_answers_and_can_be_filtered(look, study, annotator):
    pair = factories.pair(study, wanted=3)
    factories.answer(annotator, study, unsure=True, comment="Both “look” alike.")
    plain = factories.member(study, "annotator")
    factories.answer(plain, study)
    skipping.skip(
        serving.lease(factories.member(study, "annotator"), study).current,
        Assignment.objects.get(state="leased").person,
        reason="technical_problem",
        note="The left one stops.",
    )
    page = look("catalog:pair", pair.public_id)
    assert "Both “look” alike." in page
    assert page.count(">unsure<") == 1
    assert "The left one stops." in page
    said, silent = pseudonym(study, annotator.pk), pseudonym(study, plain.pk)
    for name in ("unsure", "comment"):
        found = look("answers:list", **{name: "yes"})
        assert said in found
        assert silent not in found
        assert said not in look("answers:list", **{name: "no"})


@pytest.mark.long
def test_each_answer_says_why_it_was_asked_for_on_the_page_of_its_pair_in_the_list_and_in_the_file(
    look, study, annotator, researcher, browser_client
):
    pair = factories.pair(study)
    first = factories.answer(annotator, study)
    offering.reject(first.standing, reason="defect", actor=None)
    factories.answer(factories.member(study, "annotator"), study)
    page = look("catalog:pair", pair.public_id)
    assert ">planned</span>" in page
    assert "asked as a replacement" in page
    listed = look("answers:list", asked="replacement")
    assert listed.count("asked as a replacement") == 1
    assert "<b>1</b> answer" in listed
    sent = browser_client(researcher).get(reverse("answers:list_csv", args=[study.slug]))
    lines = csv.DictReader(io.StringIO(b"".join(sent).decode("utf-8-sig")))
    assert [line["asked_because"] for line in lines] == ["plan", "replacement"]
