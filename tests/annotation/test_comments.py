"""What annotators add to their answers: a comment, the mark unsure, and a note on a technical problem."""

import json
from pathlib import Path

import pytest
from django.conf import settings
from jsonschema import Draft202012Validator, FormatChecker

from annotation import corrections
from annotation.answers import Answers
from annotation.models import Annotation, Assignment
from studies.pseudonyms import pseudonym
from tests import factories

pytestmark = pytest.mark.django_db

SAID = {"unsure": True, "comment": "The sound of both is the same.\n我不确定。"}


@pytest.fixture
def client(api, annotator):
    return api(annotator)


@pytest.fixture
def leased(client, study):
    """Return the address of a pair that the annotator has leased."""
    factories.pairs(study, 2)
    given = client.post(f"/api/v1/studies/{study.slug}/assignments/").json()
    return f"/api/v1/assignments/{given['current']['id']}"


def submitted(client, leased, **values):
    response = client.post(f"{leased}/submit/", factories.body(**values), format="json")
    assert response.status_code == 201, response.content
    return Annotation.objects.get(pk=response.json()["annotation"]["id"])


def test_both_are_stored_and_returned_when_the_answer_is_reopened(client, leased):
    stored = submitted(client, leased, **SAID)
    assert (stored.unsure, stored.comment) == (True, SAID["comment"])
    answers = client.get(f"{leased}/reopen/").json()["answers"]
    assert {name: answers[name] for name in SAID} == SAID


def test_without_them_an_answer_has_neither(client, leased):
    stored = submitted(client, leased)
    assert (stored.unsure, stored.comment) == (False, "")


def test_a_draft_keeps_them_as_they_were_typed(client, leased, study):
    draft = {"helpfulness": {"correctness": "video_0"}, "unsure": True, "comment": "not yet "}
    assert client.put(f"{leased}/draft/", draft, format="json").status_code == 204
    again = client.post(f"/api/v1/studies/{study.slug}/assignments/").json()["current"]["draft"]
    assert (again["unsure"], again["comment"]) == (True, "not yet ")


def test_a_new_comment_is_a_new_revision_and_the_same_one_is_none(client, leased):
    first = submitted(client, leased, **SAID)
    for comment, status in (("Now I am.", 201), ("Now I am.", 200)):
        body = factories.body(reason="reopened", unsure=False, comment=comment)
        assert client.post(f"{leased}/revise/", body, format="json").status_code == status
    assert list(Annotation.objects.order_by("revision").values_list("revision", "unsure", "comment")) == [
        (1, True, first.comment),
        (2, False, "Now I am."),
    ]


def test_the_same_submission_with_another_comment_is_refused(client, leased):
    body = factories.body(**SAID)
    assert client.post(f"{leased}/submit/", body, format="json").status_code == 201
    assert client.post(f"{leased}/submit/", body, format="json").status_code == 200
    assert client.post(f"{leased}/submit/", body | {"comment": "Another."}, format="json").status_code == 409


@pytest.mark.parametrize("said", [{"comment": "x" * 2001}, {"comment": None}, {"unsure": "so"}])
def test_an_invalid_comment_is_refused_with_its_field(client, leased, said):
    response = client.post(f"{leased}/submit/", factories.body(**said), format="json")
    assert (response.status_code, list(response.json()["fields"])) == (400, list(said))


def test_a_correction_of_tags_leaves_the_flag_as_it_was_and_has_its_own_comment(client, leased, study):
    first = submitted(client, leased, **SAID)
    body = factories.body()
    tagged = Answers.from_body(body["helpfulness"], body["harmlessness"] | {"video_1": {"tags": ["crime"]}})
    reviewer = factories.member(study, "reviewer")
    for _ in range(2):
        about = {"submission_id": factories.body()["submission_id"], "answers": tagged}
        corrections.correct(first.assignment, reviewer, comment="No violence.", **about)
    [_first, correction] = Annotation.objects.order_by("revision")
    assert (correction.unsure, correction.comment) == (True, "No violence.")


def skip(client, leased, **body):
    return client.post(f"{leased}/skip/", body, format="json")


def test_the_note_on_a_technical_problem_is_in_the_file_of_skips(client, leased, study, annotator, api, researcher):
    assert skip(client, leased, reason="technical_problem", note="Left: no picture.\n“黑屏”").status_code == 200
    row = Assignment.objects.get(state="skipped")
    response = api(researcher).get(f"/api/v1/studies/{study.slug}/skips.jsonl")
    [line] = [json.loads(line) for line in response.getvalue().splitlines()]
    assert line == {
        "study": study.slug,
        "pair_id": row.pair.public_id,
        "prompt_id": row.pair.prompt.public_id,
        "batch": 1,
        "annotator_id": pseudonym(study, annotator.pk),
        "round": 0,
        "reason": "technical_problem",
        "note": "Left: no picture.\n“黑屏”",
        "protocol_version": 1,
        "guideline_version": 1,
        "skipped_at": row.ended_at.isoformat(timespec="microseconds"),
    }
    schema = json.loads((Path(settings.BASE_DIR) / "exports/schemas/skip.schema.json").read_text())
    assert list(Draft202012Validator(schema, format_checker=FormatChecker()).iter_errors(line)) == []


@pytest.mark.parametrize("reason", ["too_distressing", "cannot_judge"])
def test_no_other_reason_accepts_a_note(client, leased, reason):
    response = skip(client, leased, reason=reason, note="It was too much.")
    assert (response.status_code, list(response.json()["fields"])) == (400, ["note"])
    assert not Assignment.objects.filter(state="skipped").exists()


def test_why_a_person_could_not_bear_a_pair_is_in_no_file(client, leased, study, api, researcher):
    assert skip(client, leased, reason="too_distressing").status_code == 200
    response = api(researcher).get(f"/api/v1/studies/{study.slug}/skips.jsonl")
    assert response.getvalue() == b""
