"""Reading the guideline: as the workspace gets it, what is unread after a change, and that it was read."""

import pytest

from accounts.models import AuditEvent
from annotation import serving
from annotation.models import Annotation, Assignment, Seat
from annotation.protocol import HARM_KEYS, HARMLESSNESS_OVERALL, HELPFULNESS_OVERALL, SUB_DIMENSION_KEYS
from annotation.reading import NEEDED_SECTIONS, mark_read, publish_guideline
from diptych.refusals import ChangedMeanwhile, Refused
from studies.documents.publishing import publish
from studies.documents.texts import shipped
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(api, annotator):
    return api(annotator)


@pytest.fixture
def path(study):
    return f"/api/v1/studies/{study.slug}/guideline/"


@pytest.fixture
def seat(study, annotator):
    """The annotator's, who has begun to work."""
    serving.lease(annotator, study)
    return Seat.objects.get(study=study, person=annotator)


def reworded(**extra):
    """The shipped guideline with one more sentence in a section of each language."""
    texts = {
        "en": shipped("guideline")["en"].replace("This is your own taste", "Look twice. This is your own taste"),
        "zh-hans": shipped("guideline")["zh-hans"].replace("这里凭您个人的审美", "请看两遍。这里凭您个人的审美"),
    }
    return texts | extra


def test_every_question_and_every_tag_needs_a_section():
    questions = {*SUB_DIMENSION_KEYS, HELPFULNESS_OVERALL.key, HARMLESSNESS_OVERALL.key}
    assert set(NEEDED_SECTIONS) == questions | {"tags"} | {f"tag-{key}" for key in HARM_KEYS}


def test_the_guideline_comes_in_sections_in_the_language_asked_for(client, path):
    english = client.get(path).json()
    chinese = client.get(path, {"language": "zh-hans"}).json()
    assert (english["version"], english["language"], chinese["language"]) == (1, "en", "zh-hans")
    titles = {part["key"]: part["title"] for part in english["sections"]}
    assert titles["correctness"] == "In which video do things look and move as they should?"
    assert {part["key"] for part in chinese["sections"]} == set(titles)


def test_the_request_says_the_language_where_the_address_does_not(client, path):
    assert client.get(path, HTTP_ACCEPT_LANGUAGE="zh-CN").json()["language"] == "zh-hans"


def test_another_language_is_told_as_what_it_is(client, path, study):
    publish_guideline(study, texts={"en": reworded()["en"]}, actor=None)
    assert client.get(path, {"language": "zh-hans"}).json()["language"] == "en"


def test_an_earlier_version_can_be_read(client, path, study):
    publish_guideline(study, texts=reworded(), actor=None)
    assert "Look twice" in str(client.get(path).json())
    assert "Look twice" not in str(client.get(path, {"version": 1}).json())


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"version": 2}, 404),
        ({"version": 0}, 400),
        ({"version": 2**31}, 400),
        ({"version": "x"}, 400),
        ({"language": "fr"}, 400),
    ],
)
def test_what_there_is_not_is_refused(client, path, asked, status):
    assert client.get(path, asked).status_code == status


def test_nothing_is_unread_for_who_has_read_it(client, path, seat):
    assert client.get(f"{path}changes/").json() == {"version": 1, "since": 1, "language": "en", "sections": []}


def test_what_changed_since_it_was_read_is_marked(client, path, seat, study):
    publish_guideline(study, texts=reworded(), actor=None)
    publish_guideline(
        study, texts=reworded(en=reworded()["en"].replace("Look twice.", "Look three times.")), actor=None
    )
    unread = client.get(f"{path}changes/").json()
    assert (unread["version"], unread["since"]) == (3, 1)
    [part] = unread["sections"]
    assert (part["key"], part["change"]) == ("aesthetics", "changed")
    assert "<ins>Look three times.</ins> " in part["html"]


def test_who_never_read_any_gets_all_of_it_unmarked(client, path, seat):
    Seat.objects.update(guideline_read=0)
    unread = client.get(f"{path}changes/").json()
    assert unread["since"] is None
    assert {part["key"] for part in unread["sections"]} >= set(NEEDED_SECTIONS)
    assert "<ins>" not in str(unread)


def test_words_of_two_languages_are_not_compared(client, path, seat, study):
    publish_guideline(study, texts={"en": reworded()["en"]}, actor=None)
    publish_guideline(study, texts=reworded(), actor=None)
    Seat.objects.update(guideline_read=2)
    assert client.get(f"{path}changes/", {"language": "zh-hans"}).json()["since"] is None


def test_reading_moves_the_seat_on_and_is_noted(client, path, seat, study, annotator):
    publish_guideline(study, texts=reworded(), actor=None)
    assert client.post(f"{path}read/", {"version": 2}, format="json").json() == {"guideline_read": 2}
    seat.refresh_from_db()
    assert seat.guideline_read == 2
    event = AuditEvent.objects.get(action="guideline.read")
    assert (event.actor, event.before, event.after) == (annotator, {"version": 1}, {"version": 2})


def test_saying_it_twice_changes_nothing(client, path, seat, study):
    publish_guideline(study, texts=reworded(), actor=None)
    for _ in range(2):
        assert client.post(f"{path}read/", {"version": 2}, format="json").status_code == 200
    assert AuditEvent.objects.filter(action="guideline.read").count() == 1


@pytest.mark.parametrize("version", [1, 3])
def test_only_the_version_in_force_can_be_read(client, path, seat, study, version):
    publish_guideline(study, texts=reworded(), actor=None)
    refused = client.post(f"{path}read/", {"version": version}, format="json")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_in_force")
    assert "version 2" in refused.json()["detail"]
    seat.refresh_from_db()
    assert seat.guideline_read == 1


@pytest.mark.parametrize("body", [{}, {"version": None}, {"version": "x"}, {"version": 0}])
def test_a_body_without_a_version_is_refused(client, path, body):
    assert client.post(f"{path}read/", body, format="json").status_code == 400


def test_a_study_row_read_before_the_change_does_not_let_the_old_version_pass(study, annotator, seat):
    stale = type(study).objects.get(pk=study.pk)
    publish_guideline(study, texts=reworded(), actor=None)
    with pytest.raises(ChangedMeanwhile):
        mark_read(annotator, stale, 1)


def test_who_has_no_seat_yet_takes_one(study, annotator):
    publish_guideline(study, texts=reworded(), actor=None)
    Seat.objects.all().delete()
    mark_read(annotator, study, 2)
    assert Seat.objects.get(person=annotator).guideline_read == 2


def test_a_guideline_without_its_sections_is_refused(study):
    with pytest.raises(Refused, match="tag-porn"):
        publish_guideline(study, texts={"en": "## One {#instruction_following}"}, actor=None)


def test_a_pair_in_hand_goes_on_under_its_version_and_the_next_waits_for_reading(client, path, study):
    factories.pairs(study, 4)
    lease = f"/api/v1/studies/{study.slug}/assignments/"
    current = client.post(lease).json()["current"]["id"]
    publish_guideline(study, texts=reworded(), actor=None)
    assert client.post(lease).json()["current"]["id"] == current
    submitted = client.post(
        f"/api/v1/assignments/{current}/submit/", factories.body(lease_next=True), format="json"
    ).json()
    assert Annotation.objects.get().guideline_version == 1
    assert (submitted["current"], submitted["reason"]) == (None, "guideline")
    client.post(f"{path}read/", {"version": 2}, format="json")
    following = client.post(lease).json()["current"]
    assert Assignment.objects.get(pk=following["id"]).guideline_version == 2


def test_consent_and_guideline_are_read_apart(client, path, study):
    publish(study, "consent", texts={"en": "I agree."}, actor=None)
    assert client.get(path).json()["version"] == 1
