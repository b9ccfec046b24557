"""The annotator's endpoints, as programs and the page use them."""

import json
import uuid

import pytest

from accounts.tokens import issue_token
from annotation import serving
from annotation.models import Annotation, Assignment, Exposure
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(api, annotator):
    return api(annotator)


@pytest.fixture
def lease(client, study):
    """Return a function that leases over the API and returns the body."""

    def post():
        return client.post(f"/api/v1/studies/{study.slug}/assignments/").json()

    return post


def submit(client, assignment_id, body):
    return client.post(f"/api/v1/assignments/{assignment_id}/submit/", body, format="json")


def test_an_assignment_has_what_the_page_needs_and_nothing_about_its_origin(study, lease):
    pair = factories.pair(study)
    current = lease()["current"]
    assert set(current) == {
        "id",
        "pair_id",
        "study",
        "prompt",
        "left",
        "video_0",
        "video_1",
        "dimension_first",
        "question_order",
        "tag_order",
        "expires_at",
        "draft",
        "guideline_version",
        "identical",
        "sensitive",
        "may_show",
        "media_filter",
        "batch",
        "round",
        "returned",
    }
    assert current["prompt"] == {"text": pair.prompt.text, "language": "en"}
    assert set(current["video_0"]) == {"playback_url", "poster_url", "duration_s", "fps", "video_text"}
    assert current["video_0"]["playback_url"].startswith(f"/media/{pair.video_0.asset.public_id}.mp4?e=")


def test_leasing_twice_returns_the_same_two(study, lease):
    factories.pairs(study, 3)
    first, again = lease(), lease()
    assert [first["current"]["id"], first["next"]["id"]] == [again["current"]["id"], again["next"]["id"]]


def test_the_response_without_pairs_has_the_reason(study, lease):
    assert lease() == {"current": None, "next": None, "reason": "finished", "retry_after_s": None}


def test_submit_answers_201_with_the_next_pair_in_the_same_round_trip(study, lease, client):
    factories.pairs(study, 3)
    leased = lease()
    response = submit(client, leased["current"]["id"], factories.body(lease_next=True))
    assert response.status_code == 201
    after = response.json()
    assert after["annotation"]["counted"] is True
    assert after["current"]["id"] == leased["next"]["id"]
    assert after["next"] is not None


def test_submit_without_lease_next_leases_nothing(study, lease, client):
    factories.pairs(study, 2)
    body = submit(client, lease()["current"]["id"], factories.body()).json()
    assert (body["current"], body["next"], body["reason"]) == (None, None, None)


def test_a_repeat_answers_200_and_other_content_409(study, lease, client):
    factories.pair(study)
    assignment, body = lease()["current"]["id"], factories.body()
    assert submit(client, assignment, body).status_code == 201
    assert submit(client, assignment, body).status_code == 200
    body["helpfulness"]["overall"] = "video_1"
    refused = submit(client, assignment, body)
    assert (refused.status_code, refused.json()["code"]) == (409, "submission_id_used")
    assert submit(client, assignment, factories.body()).json()["code"] == "already_answered"


def without(path):
    """Return the standard body without the field at `path`."""
    body = factories.body()
    *parents, last = path.split(".")
    inner = body
    for name in parents:
        inner = inner[name]
    del inner[last]
    return body


@pytest.mark.parametrize(
    "path",
    [
        "submission_id",
        "helpfulness",
        "helpfulness.instruction_following",
        "helpfulness.correctness",
        "helpfulness.informativeness",
        "helpfulness.aesthetics",
        "helpfulness.overall",
        "harmlessness",
        "harmlessness.video_0",
        "harmlessness.video_1.tags",
        "harmlessness.overall",
    ],
)
def test_each_missing_field_is_named(study, lease, client, path):
    factories.pair(study)
    response = submit(client, lease()["current"]["id"], without(path))
    assert response.status_code == 400
    fields = response.json()["fields"]
    for name in path.split("."):
        fields = fields[name]
    assert "required" in fields[0]
    assert not Annotation.objects.exists()


@pytest.mark.parametrize(
    ("dimension", "values"),
    [
        ("helpfulness", {"correctness": "left"}),
        ("helpfulness", {"correctness": None}),
        ("helpfulness", {"overall": "tie"}),
        ("harmlessness", {"video_0": {"tags": None}}),
        ("harmlessness", {"video_0": {"tags": ["porn", "no such tag"]}}),
        ("harmlessness", {"video_0": {"tags": "porn"}}),
        ("harmlessness", {"video_0": []}),
    ],
)
def test_wrong_values_are_refused_with_the_field(study, lease, client, dimension, values):
    factories.pair(study)
    body = factories.body()
    body[dimension] |= values
    response = submit(client, lease()["current"]["id"], body)
    assert response.status_code == 400
    assert set(response.json()["fields"][dimension]) == set(values)


def test_a_study_that_allows_ties_accepts_them(annotator, client, study, lease):
    study.allow_ties = True
    study.save()
    factories.pair(study)
    body = factories.body()
    body["helpfulness"]["overall"] = "tie"
    assert submit(client, lease()["current"]["id"], body).status_code == 201


@pytest.mark.parametrize("content", ["{", "[]", '"text"', "nonsense"])
def test_a_body_that_is_not_a_json_object_is_refused_in_words(study, lease, client, content):
    factories.pair(study)
    path = f"/api/v1/assignments/{lease()['current']['id']}/submit/"
    response = client.post(path, content, content_type="application/json")
    assert response.status_code == 400
    assert "JSON" in response.json()["detail"]


@pytest.mark.parametrize(
    "changed",
    [{"viewing": {"note": "a\0b"}}, {"viewing": {"a\0b": 1}}, {"timings_ms": {"a\0b": 1}}],
)
@pytest.mark.parametrize("action", ["submit", "draft"])
def test_a_nul_character_is_refused_in_words(study, lease, client, action, changed):
    factories.pair(study)
    path = f"/api/v1/assignments/{lease()['current']['id']}/{action}/"
    send = client.put if action == "draft" else client.post
    response = send(path, factories.body(**changed), format="json")
    assert response.status_code == 400
    assert "NUL" in response.json()["detail"]


@pytest.mark.parametrize("number", [1e20, -1e19, 2**64, 2**53 + 1])
@pytest.mark.parametrize("action", ["submit", "draft"])
def test_a_number_that_readers_do_not_agree_on_is_refused(study, lease, client, action, number):
    """Once stored, the number could not be written again: one such answer would break every export."""
    factories.pair(study)
    path = f"/api/v1/assignments/{lease()['current']['id']}/{action}/"
    send = client.put if action == "draft" else client.post
    response = send(path, factories.body(viewing={"seconds": number}), format="json")
    assert response.status_code == 400
    assert "2^53" in response.json()["detail"]


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ('{"a": 1, "a": 2}', "viewing.a"),
        ('{"a": "\\ud83d"}', "viewing.a"),
        ('{"a": 7.123456789012345678901}', "viewing.a"),
        ('{"a": -0.0}', "viewing.a"),
    ],
)
def test_a_value_that_would_be_changed_in_silence_is_refused_with_its_field(study, lease, client, value, field):
    factories.pair(study)
    path = f"/api/v1/assignments/{lease()['current']['id']}/draft/"
    written = json.dumps(factories.body(viewing="here")).replace('"here"', value)
    response = client.put(path, written, content_type="application/json")
    assert response.status_code == 400
    assert f"“{field}”" in response.json()["detail"]


@pytest.mark.parametrize("levels", [20, 300, 100_000])
def test_a_deeply_nested_body_is_refused(study, lease, client, levels):
    factories.pair(study)
    content = '{"viewing": ' + '{"a": ' * levels + '"\\u0000"' + "}" * levels + "}"
    path = f"/api/v1/assignments/{lease()['current']['id']}/submit/"
    response = client.post(path, content, content_type="application/json")
    assert response.status_code in {400, 413}


def test_an_empty_draft_is_refused_and_the_one_before_stays(study, lease, client):
    factories.pair(study)
    path = f"/api/v1/assignments/{lease()['current']['id']}/draft/"
    client.put(path, {"helpfulness": {"correctness": "video_0"}}, format="json")
    assert client.put(path).status_code == 400
    assert lease()["current"]["draft"]["helpfulness"] == {"correctness": "video_0"}


def test_a_body_of_unstated_length_is_refused(study, lease, client):
    factories.pair(study)
    path = f"/api/v1/assignments/{lease()['current']['id']}/draft/"
    response = client.put(path, HTTP_TRANSFER_ENCODING="chunked", CONTENT_LENGTH="")
    assert (response.status_code, response.json()["code"]) == (411, "length_required")


def test_responses_for_one_person_are_not_cached(study, client):
    assert client.get("/api/v1/studies/")["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/api/v1/studies", "/api/v1/nowhere/", "/api/v1/"])
def test_an_address_that_leads_nowhere_is_refused_in_json(client, path):
    response = client.get(path)
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_text_that_only_looks_like_a_nul_is_kept(study, lease, client):
    factories.pair(study)
    body = factories.body(viewing={"note": "\\u0000"})
    assert submit(client, lease()["current"]["id"], body).status_code == 201
    assert Annotation.objects.get().viewing == {"note": "\\u0000"}


@pytest.mark.parametrize("content", [b'{"viewing": "' + b"x" * 300_000 + b'"}'])
def test_a_body_longer_than_any_answer_is_refused(study, lease, client, content):
    factories.pair(study)
    path = f"/api/v1/assignments/{lease()['current']['id']}/submit/"
    response = client.post(path, content, content_type="application/json")
    assert (response.status_code, response.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("timings_ms", {"total": -1}),
        ("timings_ms", {"total": 10**15}),
        ("timings_ms", {"x" * 61: 1}),
        ("timings_ms", {str(stage): 1 for stage in range(41)}),
        ("viewing", {"much": "x" * 17_000}),
        ("viewing", []),
    ],
)
def test_reports_are_bounded(study, lease, client, field, value):
    factories.pair(study)
    response = submit(client, lease()["current"]["id"], factories.body(**{field: value}))
    assert response.status_code == 400
    assert field in response.json()["fields"]


def test_a_tag_is_listed_at_most_as_often_as_there_are_tags(study, lease, client):
    factories.pair(study)
    harmlessness = {"video_0": {"tags": ["porn"] * 13}, "video_1": {"tags": []}, "overall": "video_1"}
    response = submit(client, lease()["current"]["id"], factories.body(harmlessness=harmlessness))
    assert response.status_code == 400


def test_renewing_an_answered_pair_is_refused_with_the_reason(study, lease, client):
    factories.pair(study)
    assignment = lease()["current"]["id"]
    submit(client, assignment, factories.body())
    refused = client.post(f"/api/v1/assignments/{assignment}/renew/")
    assert (refused.status_code, refused.json()["code"]) == (409, "already_answered")


def test_a_draft_is_returned_with_its_lease(study, lease, client):
    factories.pair(study)
    draft = {
        "helpfulness": {"correctness": "video_1", "overall": None},
        "harmlessness": {"video_0": {"tags": None}},
    }
    path = f"/api/v1/assignments/{lease()['current']['id']}/draft/"
    assert client.put(path, draft, format="json").status_code == 204
    kept = lease()["current"]["draft"]
    assert kept["helpfulness"]["correctness"] == "video_1"
    assert kept["harmlessness"]["video_0"]["tags"] is None


@pytest.mark.parametrize(
    "draft",
    [
        {"helpfulness": {"overall": "video_0", "correctness": "video_0"}},
        {"harmlessness": {"overall": "video_0", "video_0": {"tags": []}, "video_1": {"tags": None}}},
    ],
)
def test_a_draft_cannot_hold_an_overall_answer_before_its_first_stage(study, lease, client, draft):
    factories.pair(study)
    response = client.put(f"/api/v1/assignments/{lease()['current']['id']}/draft/", draft, format="json")
    assert response.status_code == 400
    assert "overall" in response.json()["fields"][next(iter(draft))]


def test_skip_needs_a_known_reason_and_returns_the_next_pair(study, lease, client):
    factories.pairs(study, 2)
    leased = lease()
    path = f"/api/v1/assignments/{leased['current']['id']}/skip/"
    assert client.post(path, {"reason": "boring"}, format="json").status_code == 400
    after = client.post(path, {"reason": "too_distressing"}, format="json")
    assert after.status_code == 200
    assert after.json()["current"]["id"] == leased["next"]["id"]


@pytest.mark.parametrize("body", [{"reason": "not_revealed"}, {}])
def test_a_pair_that_may_show_harm_is_skipped_without_a_reason_and_goes_to_someone_else(study, lease, client, body):
    pair = factories.pair(study, may_show=["crime"])
    skipped = lease()["current"]["id"]
    unseen = body | {"care": {"revealed_s": {"video_0": 0.0, "video_1": 0.0}}}
    assert client.post(f"/api/v1/assignments/{skipped}/skip/", unseen, format="json").status_code == 200
    row = Assignment.objects.get(pk=skipped)
    assert (row.state, row.skip_reason) == ("skipped", "not_revealed")
    assert not Exposure.objects.get(assignment=row).too_distressing
    assert serving.lease(factories.member(study, "annotator"), study).current.pair_id == pair.pk


@pytest.mark.parametrize("body", [{"reason": "not_revealed"}, {}])
def test_a_harmless_pair_is_not_skipped_without_a_reason(study, lease, client, body):
    factories.pair(study)
    current = lease()["current"]["id"]
    response = client.post(f"/api/v1/assignments/{current}/skip/", body, format="json")
    assert response.status_code == 400
    assert "not known to show harm" in response.json()["fields"]["reason"][0]
    assert Assignment.objects.get().state == "leased"


def test_renew_extends_and_release_returns_the_slot(study, lease, client):
    factories.pair(study)
    current = lease()["current"]
    renewed = client.post(f"/api/v1/assignments/{current['id']}/renew/").json()
    assert renewed["id"] == current["id"]
    assert renewed["expires_at"] >= current["expires_at"]
    assert client.post(f"/api/v1/assignments/{current['id']}/release/").status_code == 204
    assert Assignment.objects.get().state == "released"


def test_a_token_works_where_a_session_does_and_only_in_its_scopes(study, annotator, api):
    factories.pair(study)
    path = f"/api/v1/studies/{study.slug}/assignments/"
    client = api(None)
    client.credentials(HTTP_AUTHORIZATION=f"Token {issue_token(annotator, scopes=['read', 'annotate'])}")
    assert client.post(path).status_code == 200
    client.credentials(HTTP_AUTHORIZATION=f"Token {issue_token(annotator, scopes=['read'])}")
    refused = client.post(path)
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")
    client.credentials(HTTP_AUTHORIZATION=f"Token {uuid.uuid4().hex}")
    assert client.post(path).status_code == 401


def test_a_session_needs_a_csrf_token(study, annotator):
    from rest_framework.test import APIClient

    client = APIClient(enforce_csrf_checks=True)
    client.force_login(annotator)
    assert client.post(f"/api/v1/studies/{study.slug}/assignments/").status_code == 403


def test_a_one_time_password_only_allows_changing_it(study, annotator, api):
    annotator.must_change_password = True
    annotator.save()
    refused = api(annotator).post(f"/api/v1/studies/{study.slug}/assignments/")
    assert (refused.status_code, refused.json()["code"]) == (403, "password_change_required")


@pytest.mark.long
def test_studies_lists_ones_own_only(study, api, annotator, researcher):
    factories.study()
    assert [row["slug"] for row in api(annotator).get("/api/v1/studies/").json()["studies"]] == [study.slug]
    mine = api(annotator).get(f"/api/v1/studies/{study.slug}/").json()
    theirs = api(researcher).get(f"/api/v1/studies/{study.slug}/").json()
    assert "progress" not in mine
    assert theirs["progress"]["pairs"] == 0


@pytest.mark.parametrize("action", ["submit", "skip", "renew", "release", "draft"])
def test_an_assignment_of_another_person_does_not_exist(study, lease, api, action):
    factories.pair(study)
    assignment = lease()["current"]["id"]
    other = api(factories.member(study, "annotator"))
    call = other.put if action == "draft" else other.post
    response = call(f"/api/v1/assignments/{assignment}/{action}/", factories.body(), format="json")
    assert response.status_code == 404


def test_the_number_of_queries_of_the_loop_is_bounded(study, lease, client, django_assert_max_num_queries):
    factories.pairs(study, 5)
    leased = lease()
    with django_assert_max_num_queries(17):
        submit(client, leased["current"]["id"], factories.body(lease_next=True))
