"""What a study promises its annotators: it does not run without that, and the consent page names it."""

import pytest
from django.urls import reverse

from accounts.models import AuditEvent
from diptych.refusals import Refused
from studies import promises
from studies.configuration import configure
from studies.creation import create_study
from studies.documents.texts import shipped
from studies.models import Study
from studies.promises import DISCLOSURES, LINK_IN_PAGE, PROMISES, NotNamed
from studies.setting_groups import SETTINGS
from studies.state_changes import PromisesUnkept, change_state
from studies.terms import change_terms
from tests import factories
from tests.annotation.test_concurrency import at_once

pytestmark = pytest.mark.django_db

#: A value of each setting that breaks its promise.
NOTHING = {"help_contact": "", "pay_basis": "", "daily_dose_s": 0}
OWN_TEXT = {"en": "Watch, and say which is better."}


def unkept(study):
    return [promise.setting for promise in promises.unkept(study)]


def change(study, **values):
    Study.objects.filter(pk=study.pk).update(**values)
    study.refresh_from_db()


@pytest.mark.long
def test_a_new_study_announces_no_harm_and_does_not_run_before_its_promises_are_kept(researcher):
    study = create_study(slug="fresh", title="Fresh", actor=researcher)
    assert (study.state, study.categories) == ("paused", [])
    assert unkept(study) == ["help_contact", "pay_basis"]
    with pytest.raises(PromisesUnkept, match="a contact for annotators who need help"):
        change_state(study, "resume", actor=researcher)
    assert Study.objects.get(pk=study.pk).state == "paused"
    assert not AuditEvent.objects.filter(action="study.resumed").exists()
    change(study, help_contact="The study desk", pay_basis="By the hour")
    assert change_state(study, "resume", actor=researcher)


@pytest.mark.long
@pytest.mark.parametrize("setting", NOTHING)
def test_each_promise_of_the_shipped_text_keeps_a_study_from_being_resumed(study, researcher, setting):
    change(study, state="paused", **{setting: NOTHING[setting]})
    with pytest.raises(PromisesUnkept) as refused:
        change_state(study, "resume", actor=researcher)
    assert [promise.setting for promise in refused.value.promises] == [setting]


@pytest.mark.long
def test_spaces_name_nobody(study):
    change(study, help_contact="  ")
    assert unkept(study) == ["help_contact"]


@pytest.mark.long
def test_a_text_of_ones_own_promises_what_it_links_to_and_the_contact_always(study):
    change(study, **NOTHING, state="paused")
    change_terms(study, texts=OWN_TEXT)
    assert unkept(study) == ["help_contact"]
    change_terms(study, texts={"en": "You are [paid]( #pay )."})
    assert unkept(study) == ["help_contact", "pay_basis"]


@pytest.mark.long
def test_the_shipped_texts_make_the_same_promises_in_every_language():
    linked = {language: set(LINK_IN_PAGE.findall(text)) for language, text in shipped("consent").items()}
    named = {one.key for one in (*PROMISES, *DISCLOSURES)}
    assert all(keys == named for keys in linked.values())


@pytest.mark.long
def test_each_promise_is_kept_by_a_setting_that_has_a_page():
    assert {promise.setting for promise in PROMISES} <= set(SETTINGS)


@pytest.mark.long
@pytest.mark.parametrize("state", ["paused", "running"])
def test_the_page_of_the_state_says_what_lacks_with_a_link_to_each_setting(browser_client, study, researcher, state):
    change(study, state=state, help_contact="", pay_basis="")
    client = browser_client(researcher)
    page = client.get(reverse("studies:state", args=[study.slug])).content.decode()
    for group, setting in (("protection", "help_contact"), ("about", "pay_basis")):
        address = reverse("studies:settings", args=[study.slug, group])
        assert f'href="{address}#id_{setting}"' in page
        assert f'id="id_{setting}"' in client.get(address).content.decode()
    refused = client.post(reverse("studies:state", args=[study.slug]), {"step": "resume"}, follow=True)
    study.refresh_from_db()
    assert study.state == state
    if state == "paused":
        assert "The study was not resumed." in refused.content.decode()


@pytest.mark.long
def test_the_page_of_the_state_lists_nothing_where_nothing_lacks(browser_client, study, researcher):
    page = browser_client(researcher).get(reverse("studies:state", args=[study.slug])).content.decode()
    assert "promises these things to annotators" not in page


@pytest.mark.long
@pytest.mark.parametrize(("categories", "is_said"), [([], True), (["violence"], True), (["violence", "crime"], False)])
def test_the_page_of_the_state_says_that_pairs_show_what_is_not_announced(
    browser_client, study, researcher, categories, is_said
):
    factories.pair(study, may_show=["violence", "crime"])
    factories.pair(study)
    change(study, categories=categories)
    page = browser_client(researcher).get(reverse("studies:state", args=[study.slug])).content.decode()
    assert ("harm that the study’s consent does not list" in page) == is_said


@pytest.mark.long
class TestWhileItRuns:
    @pytest.mark.parametrize(("setting", "nothing"), NOTHING.items())
    def test_no_setting_breaks_a_promise(self, study, researcher, setting, nothing):
        seen = {setting: getattr(study, setting)}
        with pytest.raises(PromisesUnkept):
            configure(study, {setting: nothing}, made_from=seen, actor=researcher)
        assert getattr(Study.objects.get(pk=study.pk), setting) == seen[setting]
        change(study, state="paused")
        assert configure(study, {setting: nothing}, made_from=seen, actor=researcher) == [setting]

    def test_the_form_says_so_at_the_setting(self, browser_client, study, researcher):
        client = browser_client(researcher)
        address = reverse("studies:settings", args=[study.slug, "about"])
        form = client.get(address).context["form"]
        body = {field.html_name: field.value() for field in form} | {"pay_basis": ""}
        response = client.post(address, body)
        assert response.status_code == 400
        assert "Pause the study before you remove it" in str(response.context["form"].errors["pay_basis"])

    def test_a_promise_that_was_broken_before_keeps_nobody_from_changing_something_else(self, study, researcher):
        change(study, help_contact="")
        seen = {"pay_basis": study.pay_basis}
        assert configure(study, {"pay_basis": "By the pair"}, made_from=seen, actor=researcher) == ["pay_basis"]
        assert change_terms(study, texts=OWN_TEXT) == 2

    def test_no_text_promises_what_no_setting_keeps(self, study):
        change_terms(study, texts=OWN_TEXT)
        change(study, pay_basis="")
        with pytest.raises(Refused, match="the pay, including pay for breaks"):
            change_terms(study, texts={"en": "You are [paid](#pay)."})
        assert Study.objects.get(pk=study.pk).consent_version == study.consent_version == 2
        change(study, state="paused")
        assert change_terms(study, texts={"en": "You are [paid](#pay)."}) == 3


@pytest.mark.long
class TestControlsAreNamed:
    """People agree to controls before they get any."""

    SEEN = {"control_rate": 0.0}

    def test_the_shipped_text_names_them_and_the_page_says_how_many(self, study, researcher, annotator, browser_client):
        assert configure(study, {"control_rate": 0.05}, made_from=self.SEEN, actor=researcher) == ["control_rate"]
        page = browser_client(annotator).get(reverse("consent:page", args=[study.slug])).content.decode()
        assert 'id="controls"' in page
        assert "at most 5\N{NO-BREAK SPACE}% of your pairs" in page or "at most 5 % of your pairs" in page

    def test_without_the_name_no_share_is_set_while_the_study_runs(self, study, researcher):
        change_terms(study, texts=OWN_TEXT)
        with pytest.raises(NotNamed, match="#controls"):
            configure(study, {"control_rate": 0.05}, made_from=self.SEEN, actor=researcher)
        change_terms(study, texts={"en": "There are [controls](#controls).", "zh-hans": "开始之前"})
        with pytest.raises(NotNamed, match="every language"):
            configure(study, {"control_rate": 0.05}, made_from=self.SEEN, actor=researcher)

    def test_no_new_text_leaves_the_name_out_and_no_study_is_resumed_without_it(self, study, researcher):
        change(study, control_rate=0.01)
        with pytest.raises(NotNamed):
            change_terms(study, texts=OWN_TEXT)
        change(study, state="paused")
        change_terms(study, texts=OWN_TEXT)
        with pytest.raises(NotNamed):
            change_state(study, "resume", actor=researcher)


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("break_it", ["setting", "text"])
def test_who_resumes_and_who_breaks_a_promise_at_the_same_moment_do_not_both_succeed(break_it):
    for _ in range(5):
        study = factories.study(state="paused", pay_basis="" if break_it == "text" else "By the hour")
        change_terms(study, texts=OWN_TEXT)
        researcher = factories.member(study, "researcher")

        def resume(study=study, researcher=researcher):
            return change_state(Study.objects.get(pk=study.pk), "resume", actor=researcher)

        def unname(study=study, researcher=researcher):
            if break_it == "text":
                return change_terms(Study.objects.get(pk=study.pk), texts={"en": "You are [paid](#pay)."})
            seen = {"help_contact": study.help_contact}
            return configure(study, {"help_contact": ""}, made_from=seen, actor=researcher)

        at_once(resume, unname)
        study.refresh_from_db()
        assert study.state == "paused" or not unkept(study)
