"""A study's settings: made, shown with default and earlier value, changed by one person while another looks on."""

import json

import pytest
from django.urls import reverse

from accounts.models import AuditEvent
from catalog.models import Provenance
from diptych.refusals import ChangedMeanwhile, Refused
from qualification import sets
from studies.configuration import configure, default_of, last_changes, shown
from studies.durations import DurationField, percent
from studies.forms import SETTINGS_FORMS
from studies.models import Document, SettingChange, Study
from studies.setting_groups import BY_KEY, GROUPS, OF_PROTOCOL, SETTINGS
from tests import factories
from tests.annotation.test_concurrency import at_once
from tests.qualification import world

pytestmark = pytest.mark.django_db


def filled(study, group, **values):
    """Return what a browser sends for the group as it is, except for `values`, each by the name of its control."""
    form = SETTINGS_FORMS[group](instance=Study.objects.get(pk=study.pk))
    sent = {}
    for bound in form:
        value = bound.value()
        if isinstance(bound.field, DurationField):
            number, unit = bound.field.widget.decompress(value)
            sent |= {f"{bound.name}_0": number, f"{bound.name}_1": unit}
        elif value is True:
            sent[bound.name] = "on"
        elif value is not False:
            sent[bound.name] = value
    return sent | values


def with_controls(study):
    """Give the study a control pair."""
    factories.pair(study, kind="control", expected={}, prompt=factories.prompt(study))


@pytest.fixture
def save(browser_client, study, researcher):
    client = browser_client(researcher)

    def send(group, **values):
        body = filled(study, group) | values
        return client.post(reverse("studies:settings", args=[study.slug, group]), body, follow=True)

    return send


def page(browser_client, person, study, group):
    return browser_client(person).get(reverse("studies:settings", args=[study.slug, group])).content.decode()


@pytest.mark.long
class TestMaking:
    def make(self, client, **values):
        return client.post(reverse("studies:new"), {"title": "Clips", "slug": "clips"} | values)

    def test_it_starts_paused_and_its_maker_runs_it(self, browser_client, researcher):
        response = self.make(browser_client(researcher))
        study = Study.objects.get(slug="clips")
        assert response.url == reverse("studies:settings", args=["clips", "protocol"])
        assert (study.state, study.title) == ("paused", "Clips")
        roles = set(study.memberships.filter(person=researcher).values_list("role", flat=True))
        assert roles == {"admin", "researcher"}
        actions = AuditEvent.objects.filter(study_slug="clips").order_by("pk").values_list("action", flat=True)
        assert list(actions) == ["study.created", "membership.granted", "membership.granted"]

    @pytest.mark.parametrize("slug", ["new", "Clips", "a b", "", "-a"])
    def test_an_address_that_cannot_be_one_is_said_at_the_field(self, browser_client, researcher, slug):
        response = self.make(browser_client(researcher), slug=slug)
        assert response.status_code == 400
        assert response.context["form"].errors["slug"]
        assert not Study.objects.filter(title="Clips").exists()

    def test_an_address_that_is_taken(self, browser_client, researcher, study):
        response = self.make(browser_client(researcher), slug=study.slug)
        assert response.status_code == 400
        assert Study.objects.count() == 1

    def test_only_who_runs_a_study_and_superusers_may(self, browser_client, annotator, study):
        assert self.make(browser_client(annotator)).status_code == 403
        assert "New study" not in browser_client(annotator).get("/?all=1").content.decode()
        owner = factories.person(is_superuser=True)
        assert "New study" in browser_client(owner).get("/").content.decode()
        assert self.make(browser_client(owner)).status_code == 302


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_of_two_who_make_the_same_study_one_is_told():
    from studies.creation import create_study

    people = [factories.person(is_superuser=True) for _ in range(2)]
    made = at_once(*[lambda p=p: create_study(slug="clips", title="Clips", actor=p) for p in people])
    assert sorted(type(one) for one in made if isinstance(one, Refused)) == [Refused]
    assert Study.objects.get(slug="clips").memberships.count() == 2


@pytest.mark.long
def test_every_setting_of_a_study_is_in_a_group_or_has_a_page_of_its_own():
    elsewhere = {
        "id", "slug", "state", "created_at", "protocol_version", "guideline_version", "consent_version", "categories",
        "pseudonym_key", "archived_at",
    }  # fmt: skip
    fields = {field.name for field in Study._meta.concrete_fields}
    assert fields - elsewhere == set(SETTINGS)
    assert len(SETTINGS) == sum(len(group.settings) for group in GROUPS)


@pytest.mark.long
@pytest.mark.parametrize("group", list(BY_KEY))
def test_each_page_says_what_a_setting_does_and_its_default(browser_client, study, researcher, annotator, group):
    with_controls(study)
    world.published(study, "test", factories.pairs(study, 5), researcher)
    body = page(browser_client, researcher, study, group)
    for setting in BY_KEY[group].settings:
        assert str(setting.label) in body
        assert f'id="about-{setting.name}"' in body
    assert body.count("Default:") == sum(default_of(setting) != "" for setting in BY_KEY[group].settings)
    assert "object at" not in body
    if group == "serving":
        assert "Default: 30 minutes" in body


@pytest.mark.long
@pytest.mark.parametrize("group", list(BY_KEY))
def test_saving_what_stands_changes_nothing(save, study, group):
    response = save(group)
    assert "nothing was saved" in response.content.decode()
    assert not AuditEvent.objects.exists()


@pytest.mark.long
def test_durations_are_written_in_minutes_and_hours(save, study):
    save("serving", lease_s_0="45", lease_s_1="60", media_window_s_0="1.5", media_window_s_1="3600")
    study.refresh_from_db()
    assert (study.lease_s, study.media_window_s) == (2700, 5400)


@pytest.mark.long
def test_shares_are_written_in_percent(save, study):
    save("sampling", sample_share="12.5")
    study.refresh_from_db()
    assert study.sample_share == 0.125
    assert percent(0.1) == "10 %"


@pytest.mark.long
@pytest.mark.parametrize(
    ("group", "field", "sent", "said"),
    [
        ("serving", "lease_s", {"lease_s_0": "10", "lease_s_1": "1"}, "Choose 30 seconds to 24 hours."),
        ("serving", "lease_s", {"lease_s_0": "", "lease_s_1": "60"}, "This field is required."),
        ("serving", "lease_s", {"lease_s_0": "0.51", "lease_s_1": "60"}, "not a whole number of seconds"),
        ("serving", "lease_s", {"lease_s_0": "1e400", "lease_s_1": "60"}, ""),
        ("serving", "control_rate", {"control_rate": "5.1"}, "not greater than 5"),
        ("serving", "hold_after_skips", {"hold_after_skips": "0"}, "not less than 1"),
        ("sampling", "overlap", {"overlap": "101"}, "not greater than 100"),
        ("sampling", "seed", {"seed": "9" * 30}, ""),
        ("protection", "media_filter", {"media_filter": "upside_down"}, "Choose one of the options that are offered."),
        ("protection", "break_s", {"break_s_0": "3", "break_s_1": "3600"}, "Choose 0 minutes to 2 hours."),
        ("protection", "harmless_after", {"harmless_after": "99999999"}, ""),
        ("about", "title", {"title": ""}, "This field is required."),
    ],
)
def test_what_cannot_be_is_said_at_the_field_and_nothing_is_saved(save, study, group, field, sent, said):
    with_controls(study)
    response = save(group, **sent)
    assert response.status_code == 400
    assert said in " ".join(response.context["form"].errors[field])
    assert not AuditEvent.objects.exists()


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(OF_PROTOCOL))
def test_what_the_protocol_is_made_of_makes_a_new_version(study, researcher, name):
    other = {"tag_format": "yes_no", "dimension_order": "helpfulness_first"}.get(name, not getattr(study, name))
    configure(study, {name: other}, made_from={name: getattr(study, name)}, actor=researcher)
    event = AuditEvent.objects.get(action="study.configured")
    assert study.protocol_version == Study.objects.get(pk=study.pk).protocol_version == 2
    assert (event.before["protocol_version"], event.after) == (1, {name: other, "protocol_version": 2})


@pytest.mark.long
def test_the_page_says_so_before_and_after(save, browser_client, study, researcher):
    assert "version 2 begins" in page(browser_client, researcher, study, "protocol")
    assert "Protocol version 2 is now in force" in save("protocol", allow_ties="on").content.decode()


@pytest.mark.long
def test_what_it_is_not_made_of_makes_none(save, study):
    save("protocol", share_feedback="on")
    study.refresh_from_db()
    assert (study.share_feedback, study.protocol_version) == (True, 1)


@pytest.mark.long
def test_what_it_was_before_by_whom_and_when(save, browser_client, study, researcher):
    save("serving", lease_s_0="1", lease_s_1="3600")
    save("serving", lease_s_0="2", lease_s_1="3600")
    last = last_changes(study, ["lease_s", "next_lease_s"])
    assert list(last) == ["lease_s"]
    assert (last["lease_s"].before, last["lease_s"].who) == (3600, researcher.username)
    body = page(browser_client, researcher, study, "serving")
    assert "Changed by " in body
    assert "1 hour)" in body


@pytest.mark.long
class TestTwoAtOnce:
    def test_another_setting_is_kept(self, study, researcher):
        seen = {"allow_ties": False, "reopen_s": study.reopen_s}
        configure(study, {"allow_ties": True, "reopen_s": study.reopen_s}, made_from=seen, actor=researcher)
        configure(study, {"allow_ties": False, "reopen_s": 60}, made_from=seen, actor=researcher)
        study.refresh_from_db()
        assert (study.allow_ties, study.reopen_s) == (True, 60)

    def test_the_same_setting_is_shown_and_not_overwritten(self, browser_client, study, researcher):
        late = filled(study, "about", title="Mine")
        other = factories.member(study, "admin")
        configure(study, {"title": "Theirs"}, made_from={"title": study.title}, actor=other)
        client, address = browser_client(researcher), reverse("studies:settings", args=[study.slug, "about"])
        response = client.post(address, late)
        body = response.content.decode()
        assert response.status_code == 400
        assert f"{other.username} changed this to “Theirs”" in body
        assert 'value="Mine"' in body
        assert Study.objects.get(pk=study.pk).title == "Theirs"
        again = {field.name: field.value() for field in response.context["form"]} | {"title": "Mine"}
        again["made_from"] = response.context["form"].data["made_from"]
        assert client.post(address, again).status_code == 302
        assert Study.objects.get(pk=study.pk).title == "Mine"

    def test_the_same_change_twice_is_one(self, study, researcher):
        for _ in range(2):
            configure(study, {"title": "New"}, made_from={"title": study.title}, actor=researcher)
            study = Study.objects.get(pk=study.pk)
        assert AuditEvent.objects.count() == 1

    @pytest.mark.parametrize("sent", ["", "null", "[]", "{}", "x", '{"title": {"a": 1}}'])
    def test_a_form_that_was_tampered_with_changes_nothing(self, save, study, sent):
        assert save("about", made_from=sent, title="Other").status_code == 400
        assert Study.objects.get(pk=study.pk).title == study.title


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_of_two_at_the_same_moment_one_is_told_of_the_other():
    study = factories.study(allow_ties=False)
    people = [factories.member(study, "researcher") for _ in range(4)]
    values = [{"tag_format": "yes_no", "title": f"Title {number}"} for number in range(4)]
    seen = {"tag_format": "check_all", "title": study.title}
    outcomes = at_once(
        *[
            lambda p=p, v=v: configure(Study.objects.get(pk=study.pk), v, made_from=seen, actor=p)
            for p, v in zip(people, values, strict=True)
        ]
    )
    assert sum(isinstance(outcome, ChangedMeanwhile) for outcome in outcomes) == 3
    study.refresh_from_db()
    assert study.protocol_version == 2
    assert AuditEvent.objects.filter(action="study.configured").count() == 1
    before = SettingChange.objects.values_list("name", "before").order_by("name")
    assert list(before) == [("tag_format", "check_all"), ("title", seen["title"])]


@pytest.mark.long
def test_values_are_said_as_people_say_them():
    said = [("allow_ties", True), ("daily_dose_s", 0), ("reopen_s", 0), ("control_rate", 0.0), ("tag_format", "yes_no")]
    assert [shown(SETTINGS[name], value) for name, value in said] == [
        "on", "no limit", "never", "none", "yes or no for each tag",
    ]  # fmt: skip


@pytest.mark.long
class TestConsent:
    def send(self, client, study, **values):
        address = reverse("studies:consent", args=[study.slug])
        form = client.get(address).context["form"]
        body = {field.name: field.value() for field in form}
        body |= {name: value.replace("\n", "\r\n") for name, value in body.items() if name.startswith("text_")}
        return client.post(address, body | values, follow=True)

    def test_categories_and_words_make_one_version_together(self, browser_client, study, researcher):
        client = browser_client(researcher)
        response = self.send(client, study, categories=["violence"], text_en="# New words")
        study.refresh_from_db()
        assert "Version 2 of the terms is in force" in response.content.decode()
        assert (study.consent_version, study.categories) == (2, ["violence"])
        texts = Document.objects.filter(study=study, kind="consent", version=2).values_list("language", "text")
        assert dict(texts)["en"] == "# New words"
        assert "zh-hans" in dict(texts)

    def test_saving_what_stands_asks_nobody(self, browser_client, study, researcher):
        assert "nobody is asked again" in self.send(browser_client(researcher), study).content.decode()
        study.refresh_from_db()
        assert study.consent_version == 1

    def test_a_change_by_somebody_else_is_shown_and_not_overwritten(self, browser_client, study, researcher):
        from studies.terms import change_terms

        client = browser_client(researcher)
        client.get(reverse("studies:consent", args=[study.slug]))
        change_terms(study, categories=["crime"], actor=researcher)
        response = self.send(client, study, version=1, categories=["violence"])
        assert response.status_code == 400
        assert "Somebody else changed the terms" in response.content.decode()
        study.refresh_from_db()
        assert study.categories == ["crime"]
        assert response.context["form"]["version"].value() == "2"

    def test_no_words_at_all_are_refused(self, browser_client, study, researcher):
        response = self.send(browser_client(researcher), study, text_en="", **{"text_zh-hans": " "})
        assert response.status_code == 400
        assert "There is no text" in response.content.decode()


@pytest.mark.long
class TestLicences:
    def record(self, client, study, **values):
        body = {"kind": "generator", "name": "model-x", "seen_licence": "", "seen_terms": ""}
        return client.post(reverse("catalog:licences", args=[study.slug]), body | values, follow=True)

    def test_the_names_in_the_material_are_offered(self, browser_client, study, researcher):
        prompt = factories.prompt(study, source="real_user", source_detail="a chat channel")
        factories.prompt(study, source="researcher")
        factories.video(prompt, generator="model-x")
        context = browser_client(researcher).get(reverse("catalog:licences", args=[study.slug])).context
        assert {row["origin"].name for row in context["sources"]} == {"a chat channel", "researcher"}
        assert [row["origin"].name for row in context["generators"]] == ["model-x"]

    def test_it_is_recorded_with_what_it_was(self, browser_client, study, researcher):
        client = browser_client(researcher)
        self.record(client, study, licence="CC BY 4.0")
        self.record(client, study, licence="CC BY-NC 4.0", terms="a\r\nb", seen_licence="CC BY 4.0")
        assert Provenance.objects.get().terms == "a\nb"
        events = AuditEvent.objects.filter(action="provenance.recorded").order_by("pk")
        assert events[1].before["licence"] == "CC BY 4.0"

    def test_what_somebody_else_recorded_is_not_overwritten(self, browser_client, study, researcher):
        client = browser_client(researcher)
        self.record(client, study, licence="CC BY 4.0")
        response = self.record(client, study, licence="MIT")
        assert "Someone else changed the terms" in response.content.decode()
        assert Provenance.objects.get().licence == "CC BY 4.0"

    def test_a_licence_that_is_too_long_is_said_at_its_field(self, browser_client, study, researcher):
        factories.video(factories.prompt(study), generator="model-x")
        response = self.record(browser_client(researcher), study, licence="x" * 81)
        assert response.status_code == 400
        assert "Shorten this text to 80 characters" in response.content.decode()


@pytest.mark.long
def test_made_from_is_what_the_page_was_made_from(study):
    form = SETTINGS_FORMS["about"](instance=study)
    assert json.loads(form["made_from"].value())["title"] == study.title


@pytest.mark.long
class TestSettingsThatLeadNowhere:
    """A setting about something that the study does not have is missing until the study has it."""

    NAMES = ("control_rate", "qualification_required")

    def shown(self, browser_client, researcher, study):
        text = page(browser_client, researcher, study, "serving")
        return [name for name in self.NAMES if f'id="about-{name}"' in text]

    def test_controls_and_a_published_test_have_to_exist(self, browser_client, researcher, study):
        assert self.shown(browser_client, researcher, study) == []
        with_controls(study)
        assert self.shown(browser_client, researcher, study) == ["control_rate"]
        draft = world.draft(study, "test", factories.pairs(study, 5), researcher)
        assert self.shown(browser_client, researcher, study) == ["control_rate"]
        sets.publish(draft, actor=researcher)
        assert self.shown(browser_client, researcher, study) == list(self.NAMES)

    def test_what_somebody_has_set_can_be_set_back(self, browser_client, researcher, study, save):
        Study.objects.update(qualification_required=True)
        assert self.shown(browser_client, researcher, study) == ["qualification_required"]
        sent = filled(study, "serving")
        del sent["qualification_required"]
        address = reverse("studies:settings", args=[study.slug, "serving"])
        browser_client(researcher).post(address, sent)
        assert self.shown(browser_client, researcher, study) == []

    def test_what_is_not_on_the_page_is_not_changed_by_it(self, study, save):
        response = save("serving", control_rate="10", qualification_required="on", hold_after_skips="5")
        assert response.status_code == 200
        study.refresh_from_db()
        assert (study.control_rate, study.qualification_required, study.hold_after_skips) == (0.0, False, 5)


@pytest.mark.long
class TestEmptyPages:
    """A page without content says what this person can do about it."""

    def test_the_first_superuser_is_led_to_making_a_study(self, browser_client, db):
        client = browser_client(factories.person(is_superuser=True))
        said = client.get(reverse("home")).content.decode()
        assert "There are no studies yet" in said
        assert said.count(f'href="{reverse("studies:new")}"') == 1
        assert "Ask the admin" not in said
        factories.study()
        said = client.get(reverse("home")).content.decode()
        assert "You are not in any study yet" in said
        assert "ask the admin of a study to invite" in said

    def test_somebody_who_cannot_make_a_study_is_told_whom_to_ask(self, browser_client, db):
        said = browser_client(factories.person()).get(reverse("home")).content.decode()
        assert "Ask the admin of the study to invite" in said
        assert reverse("studies:new") not in said

    def test_two_studies_with_the_same_title_are_told_apart(self, browser_client, study, researcher):
        other = factories.study(title=study.title)
        other.memberships.create(person=researcher, role="researcher")
        said = browser_client(researcher).get(reverse("home")).content.decode()
        for one in (study, other):
            assert f'<h2>{one.title} <span class="muted">{one.slug}</span></h2>' in said

    @pytest.mark.parametrize(("role", "leads_on"), [("researcher", True), ("reviewer", False)])
    def test_an_empty_study_leads_to_its_import(self, browser_client, study, role, leads_on):
        client = browser_client(factories.member(study, role))
        said = client.get(reverse("figures:dashboard", args=[study.slug])).content.decode()
        assert "This study has no pairs yet" in said
        assert (reverse("importing:new", args=[study.slug]) in said) == leads_on
        assert "diptych-server" not in said
