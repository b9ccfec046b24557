"""A study's settings as a file, and copied to a new study: all of them or nothing, and never people."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from jsonschema import Draft202012Validator

from accounts.models import AuditEvent
from diptych.refusals import ChangedMeanwhile, Refused
from studies import settings_file
from studies.documents.publishing import publish
from studies.documents.texts import shipped
from studies.models import Document, Membership, SettingChange, Study
from studies.settings_file import apply, as_file, read, state_of, to_bytes
from studies.terms import change_terms
from tests import factories

pytestmark = pytest.mark.django_db

OTHER = {
    "allow_ties": True,
    "tag_format": "yes_no",
    "reopen_s": 5400,
    "control_rate": 0.0425,
    "overlap": 3,
    "seed": 2**60 + 1,
    "daily_dose_s": 0,
    "terms": "First line.\nSecond line: 一二三.",
}


@pytest.fixture
def rich():
    """Make a paused study whose settings, harms and texts differ from those of a new one."""
    study = factories.study(state="paused", **OTHER)
    actor = factories.member(study, "admin")
    change_terms(study, categories=["violence", "hate"], texts={"en": "You agree."}, actor=actor)
    guideline = {code: f"{text}\n\n## More {{#more}}\n\nOur own words." for code, text in shipped("guideline").items()}
    publish(study, Document.Kind.GUIDELINE, texts=guideline, actor=actor)
    return study


def changed(study, **settings):
    value = as_file(study)
    value["settings"] |= settings
    return value


@pytest.fixture
def send(browser_client, researcher, study):
    client = browser_client(researcher)

    def sent(content, **values):
        file = SimpleUploadedFile("settings.json", content if isinstance(content, bytes) else to_bytes(content))
        address = reverse("studies:settings_file", args=[study.slug])
        return client.post(address, ({"file": file} if content else {}) | values)

    return sent


@pytest.mark.long
def test_a_file_fits_its_schema_and_names_every_setting_and_nobody(rich):
    value = json.loads(to_bytes(as_file(rich)))
    Draft202012Validator.check_schema(settings_file.schema())
    Draft202012Validator(settings_file.schema()).validate(value)
    assert value["settings"].keys() == settings_file.IN_FILE.keys()
    assert value["settings"]["seed"] == str(2**60 + 1)
    text = json.dumps(value)
    assert rich.pseudonym_key not in text
    assert rich.slug not in text
    assert Membership.objects.get(study=rich).person.username not in text


@pytest.mark.long
def test_a_file_of_one_study_makes_another_the_same(rich, study, researcher):
    Study.objects.filter(pk=study.pk).update(state="paused")
    study.refresh_from_db()
    wanted = read(to_bytes(as_file(rich)), study)
    assert apply(study, wanted, made_from=state_of(study), actor=researcher) > len(OTHER)
    rich.refresh_from_db()
    assert as_file(study) == as_file(rich)
    assert study.title != rich.title
    assert study.state == "paused"
    assert settings_file.differences(read(to_bytes(as_file(rich)), study), study) == []
    assert SettingChange.objects.get(study=study, name="overlap").changed_by == researcher
    assert AuditEvent.objects.filter(action="study.configured", study_slug=study.slug).count() == 1


@pytest.mark.long
def test_a_browser_shows_the_differences_first_and_then_applies_them(send, study, researcher):
    response = send(changed(study, overlap=5, reopen_s=7200))
    page = response.content.decode()
    assert response.status_code == 200
    assert [one.name for one in response.context["differences"]] == ["Answers can be changed for", "Answers per pair"]
    assert "2 hours" in page
    study.refresh_from_db()
    assert study.overlap == 1
    confirmed = {"returned": response.context["content"], "made_from": response.context["made_from"]}
    assert send(None, **confirmed, act="apply").status_code == 302
    study.refresh_from_db()
    assert (study.overlap, study.reopen_s) == (5, 7200)


@pytest.mark.long
def test_a_change_by_somebody_else_in_between_is_noticed(send, study):
    response = send(changed(study, overlap=5))
    Study.objects.update(overlap=2)
    confirmed = {"returned": response.context["content"], "made_from": response.context["made_from"]}
    again = send(None, **confirmed, act="apply")
    assert again.status_code == 400
    assert "Somebody else changed the settings after you opened this page" in again.content.decode()
    assert [(one.before, one.after) for one in again.context["differences"]] == [("2", "5")]
    study.refresh_from_db()
    assert study.overlap == 2


def text_of(study, old, new):
    text = to_bytes(as_file(study)).decode()
    assert old in text
    return text.replace(old, new, 1).encode()


@pytest.mark.long
@pytest.mark.parametrize(
    ("make", "said"),
    [
        (
            lambda study: text_of(study, '"overlap": 1', '"overlap": 1,\n"overlap": 2'),
            "settings.overlap: is there twice",
        ),
        (lambda study: to_bytes(changed(study, overlapp=2)), "“overlapp”"),
        (lambda study: to_bytes(changed(study, title="Another")), "“title”"),
        (lambda study: to_bytes(as_file(study) | {"people": []}), "“people”"),
        (lambda study: to_bytes(as_file(study) | {"categories": ["rudeness"]}), "“rudeness”"),
        (lambda study: to_bytes(as_file(study) | {"categories": "hate"}), "categories: this must be a list"),
        (lambda study: to_bytes(changed(study, overlap="2")), "settings.overlap: This must be a whole number."),
        (lambda study: to_bytes(changed(study, overlap=True)), "settings.overlap: This must be a whole number."),
        (lambda study: to_bytes(changed(study, overlap=1000)), "settings.overlap: "),
        (lambda study: to_bytes(changed(study, allow_ties="on")), "settings.allow_ties: This must be true or false."),
        (lambda study: to_bytes(changed(study, tag_format="other")), "settings.tag_format: This must be one of"),
        (lambda study: to_bytes(changed(study, lease_s=1)), "settings.lease_s: Choose 30 seconds"),
        (lambda study: to_bytes(changed(study, control_rate=0.9)), "settings.control_rate: "),
        (lambda study: to_bytes(changed(study, vendor=None)), "settings.vendor: This must be a string."),
        (
            lambda study: to_bytes(as_file(study) | {"texts": {"guideline": {"en": "Short."}}}),
            "has no sections with these keys",
        ),
        (lambda study: to_bytes(as_file(study) | {"texts": {"consent": {"fr": "Oui."}}}), "does not have the language"),
        (lambda study: to_bytes(as_file(study) | {"texts": {"terms": {}}}), "“terms”"),
        (lambda study: to_bytes(as_file(study) | {"version": 2}), "This installation can read only version 1."),
        (lambda study: to_bytes(as_file(study) | {"format": "other"}), "“format” must be"),
        (lambda study: b'{"format": ', "The file is not JSON"),
        (lambda study: b"[]", "“format” must be"),
        (lambda study: "{}".encode("utf-16"), "not text in UTF-8"),
        (lambda study: b" " * ((1 << 20) + 1), "larger than 1 MB"),
        (lambda study: b"", "Choose a file first."),
    ],
)
def test_what_is_wrong_with_a_file_is_said_by_name_and_nothing_is_changed(send, study, make, said):
    before = as_file(study)
    response = send(make(study), act="apply", made_from=json.dumps(state_of(study)))
    assert response.status_code == 400
    study.refresh_from_db()
    assert as_file(study) == before
    assert said in response.content.decode().replace("&quot;", '"').replace("&#x27;", "'")


@pytest.mark.long
def test_several_faults_are_said_at_once(study):
    with pytest.raises(Refused) as refusal:
        read(to_bytes(changed(study, overlap=0, lease_s=1, nonsense=1)), study)
    assert len(refusal.value.sentence.splitlines()) == 3


@pytest.mark.long
def test_all_or_nothing_where_the_texts_cannot_be_taken(rich, study, researcher):
    """A running study may not promise what it does not keep. Then its settings stay too."""
    value = changed(study, overlap=5, pay_basis="")
    with pytest.raises(Refused):
        apply(study, read(to_bytes(value), study), made_from=state_of(study), actor=researcher)
    study.refresh_from_db()
    assert study.overlap == 1
    with pytest.raises(ChangedMeanwhile):
        apply(study, read(to_bytes(as_file(rich)), study), made_from={}, actor=researcher)


@pytest.mark.long
def test_a_file_that_names_only_some_settings_leaves_the_others(study, researcher):
    content = b'\xef\xbb\xbf{"format": "diptych-study-settings", "version": 1, "settings": {"overlap": 4}}'
    assert apply(study, read(content, study), made_from=state_of(study), actor=researcher) == 1
    study.refresh_from_db()
    assert (study.overlap, study.reopen_s) == (4, 24 * 3600)


@pytest.mark.long
class TestCopying:
    def make(self, client, like, status=302):
        response = client.post(reverse("studies:new"), {"title": "The copy", "slug": "the-copy", "like": like})
        assert response.status_code == status
        return Study.objects.filter(slug="the-copy").first()

    def test_a_new_study_gets_the_settings_and_texts_and_nothing_else(self, rich, browser_client):
        person = Membership.objects.get(study=rich).person
        factories.member(rich, "annotator")
        factories.pair(rich)
        copy = self.make(browser_client(person), rich.slug)
        rich.refresh_from_db()
        assert as_file(copy) == as_file(rich)
        assert (copy.title, copy.state) == ("The copy", "paused")
        assert copy.pseudonym_key != rich.pseudonym_key
        assert set(copy.memberships.values_list("person", "role")) == {(person.pk, "admin"), (person.pk, "researcher")}
        assert not copy.pairs.exists()

    def test_only_studies_that_the_person_runs_are_offered(self, rich, study, researcher, browser_client):
        client = browser_client(researcher)
        page = client.get(reverse("studies:new"), {"like": study.slug}).content.decode()
        assert f'<option value="{study.slug}" selected>' in page
        assert rich.slug not in page
        assert self.make(client, rich.slug, status=400) is None
        assert (
            f"{reverse('studies:new')}?like={study.slug}"
            in client.get(reverse("studies:settings_file", args=[study.slug])).content.decode()
        )
