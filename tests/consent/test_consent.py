"""Agree, change the agreement and withdraw: what is stored, which pairs are released, and two requests at once."""

import threading

import pytest
from django.db import connection
from django.urls import reverse

from accounts.models import AuditEvent, Consent
from annotation import serving, skipping
from annotation.models import Assignment, Seat
from catalog.models import Pair
from consent import agreements
from diptych.refusals import ChangedMeanwhile, Refused
from studies.documents.texts import text_of
from studies.harms import HARM_KEYS
from studies.models import Document, Study
from studies.promises import PROMISES
from studies.terms import CHANGED, categories_of, change_terms
from tests import factories
from tests.qualification.world import asks_for_qualification

pytestmark = pytest.mark.django_db


@pytest.fixture
def newcomer(study):
    """Return an annotator who has not agreed to anything yet."""
    person = factories.person()
    person.memberships.create(study=study, role="annotator")
    return person


def page_of(study):
    return reverse("consent:page", args=[study.slug])


def workspace_of(study):
    return reverse("annotation:workspace", args=[study.slug])


def sent(study, *categories, **values):
    return {"version": study.consent_version, "language": "en", "categories": categories} | values


class TestThePage:
    def test_before_the_first_pair_the_workspace_leads_to_it(self, browser_client, study, newcomer):
        response = browser_client(newcomer).get(workspace_of(study))
        assert (response.status_code, response.url) == (302, page_of(study))

    def test_it_comes_before_the_qualification(self, browser_client, study, newcomer, researcher):
        asks_for_qualification(study, researcher)
        assert browser_client(newcomer).get(workspace_of(study)).url == page_of(study)

    def test_the_workspace_links_to_it(self, browser_client, study, annotator):
        page = browser_client(annotator).get(workspace_of(study)).content.decode()
        assert f'data-url-consent="{page_of(study)}"' in page
        assert f'href="{page_of(study)}">Content I agree to see' in page
        assert f'href="{page_of(study)}">Read and decide' in page

    def test_it_names_each_harm_of_the_study_and_ticks_none(self, browser_client, newcomer, study):
        change_terms(study, categories=["crime", "violence"])
        page = browser_client(newcomer).get(page_of(study)).content.decode()
        assert page.count('name="categories"') == 2
        assert "Violence, Injury, Gory Content" in page
        assert "Beatings, weapons that are used" in page
        assert "checked" not in page
        assert "<img" not in page.split("<main", 1)[1]
        assert "<video" not in page

    def test_agreeing_leads_to_the_pairs_and_stores_the_words_that_were_shown(self, browser_client, newcomer, study):
        response = browser_client(newcomer).post(page_of(study), sent(study, "violence"))
        assert response.url == workspace_of(study)
        given = Consent.objects.get(user=newcomer)
        assert given.categories == ["violence"]
        assert text_of(study, Document.Kind.CONSENT, "en").text.strip() in given.text
        assert "- [x] Violence, Injury, Gory Content: Beatings" in given.text
        assert "- [ ] Crime: A crime that is shown" in given.text
        assert browser_client(newcomer).get(workspace_of(study)).status_code == 200

    def test_the_words_are_in_the_language_in_which_they_were_read(self, browser_client, newcomer, study):
        browser_client(newcomer).post(page_of(study), sent(study, "violence", language="zh-hans"))
        given = Consent.objects.get(user=newcomer)
        assert "- [x] 暴力、伤害、血腥内容" in given.text
        assert AuditEvent.objects.get(action="consent.given", actor=newcomer).after["language"] == "zh-hans"

    def test_agreeing_to_no_harm_leads_to_harmless_pairs_only(self, browser_client, newcomer, study):
        factories.pair(study, may_show=["crime"], priority=9)
        harmless = factories.pair(study)
        browser_client(newcomer).post(page_of(study), sent(study))
        leased = serving.lease(newcomer, study)
        assert (leased.current.pair_id, leased.next) == (harmless.pk, None)

    def test_terms_that_changed_while_they_were_read_are_read_again(self, browser_client, newcomer, study):
        old = sent(study, "violence")
        change_terms(study, categories=["crime"])
        response = browser_client(newcomer).post(page_of(study), old, follow=True)
        assert "terms changed while you were reading" in response.content.decode()
        assert not Consent.objects.filter(user=newcomer).exists()

    def test_a_harm_that_the_study_does_not_show_is_not_stored(self, browser_client, newcomer, study):
        for unknown in ("terrorism", "x", "<b>"):
            change_terms(study, categories=["crime"])
            browser_client(newcomer).post(page_of(study), sent(study, unknown))
        assert not Consent.objects.filter(user=newcomer).exists()

    def test_when_asked_again_the_page_marks_new_and_removed_harms_and_ticks_nothing(self, browser_client, study):
        change_terms(study, categories=["crime", "violence"])
        person = factories.member(study, "annotator")
        change_terms(study, categories=["crime", "hate"], texts={"en": "We now also ask for your shoe size."})
        response = browser_client(person).get(workspace_of(study))
        assert response.url == page_of(study)
        page = browser_client(person).get(page_of(study)).content.decode()
        assert "The terms have changed" in page
        changed = page.split("What changed since you agreed")[1].split("</section>")[0]
        assert "Insulting, Hateful" in changed.split("No longer shown")[0]
        assert "Violence, Injury" in changed.split("No longer shown")[1]
        assert "<ins>" in page
        assert "checked" not in page
        assert page.count("data-before") == 1

    def test_while_the_consent_is_in_force_the_boxes_show_it(self, browser_client, newcomer, study):
        client = browser_client(newcomer)
        client.post(page_of(study), sent(study, "violence", "crime"))
        page = client.get(page_of(study)).content.decode()
        assert page.count(" checked") == 2
        assert "Withdraw consent" in page

    def test_withdrawing_leads_to_a_page_that_says_what_happened(self, browser_client, study, annotator):
        response = browser_client(annotator).post(reverse("consent:withdraw", args=[study.slug]), follow=True)
        page = response.content.decode()
        assert "You have withdrawn" in page
        assert "checked" not in page

    def test_only_people_who_watch_videos_agree_and_withdraw(self, browser_client, study, researcher):
        contact = factories.member(study, "wellbeing_contact")
        for address in (page_of(study), reverse("consent:withdraw", args=[study.slug])):
            assert browser_client(contact).post(address, sent(study)).status_code == 403
            assert browser_client(factories.person()).post(address, sent(study)).status_code == 404
        assert browser_client(researcher).get(reverse("consent:withdraw", args=[study.slug])).status_code == 405

    def test_the_page_names_the_contact_or_who_else_to_ask(self, browser_client, study, newcomer):
        client = browser_client(newcomer)
        Study.objects.update(help_contact="")
        assert "has no contact yet" in client.get(page_of(study)).content.decode()
        Study.objects.update(help_contact="Care line: care@example.org <b>")
        page = client.get(page_of(study)).content.decode()
        assert "mailto:care@example.org" in page
        assert "<b>\n" not in page


class TestReleasedPairs:
    def test_leaving_out_a_harm_releases_the_leased_pairs_that_may_show_it(self, study, annotator):
        crime = factories.pair(study, may_show=["crime"])
        factories.pair(study)
        leased = serving.lease(annotator, study)
        Assignment.objects.filter(pk=leased.current.pk).update(draft={"helpfulness": {}})
        agreements.agree(annotator, study, categories=["violence"], text="I agree.")
        ended = Assignment.objects.get(pk=leased.current.pk)
        assert (ended.pair_id, ended.state, ended.draft) == (crime.pk, "released", {"helpfulness": {}})
        assert Assignment.objects.get(pk=leased.next.pk).state == "leased"
        crime.refresh_from_db()
        assert crime.open_slots == 1
        assert serving.lease(annotator, study).current.pk == leased.next.pk

    def test_a_page_that_still_shows_a_left_out_pair_cannot_renew_it(self, study, annotator):
        factories.pair(study, may_show=["crime"])
        held = serving.lease(annotator, study).current
        agreements.agree(annotator, study, categories=[], text="I agree.")
        with pytest.raises(Refused):
            serving.renew(held, annotator)

    def test_agreeing_to_more_serves_the_pairs_that_were_skipped_over(self, study, annotator):
        agreements.agree(annotator, study, categories=[], text="I agree.")
        first = factories.pair(study, may_show=["crime"], priority=5)
        factories.pairs(study, 2)
        serving.lease(annotator, study)
        for held in Assignment.objects.filter(state="leased"):
            skipping.skip(held, annotator, reason="cannot_judge")
        agreements.agree(annotator, study, categories=["crime"], text="I agree.")
        assert serving.lease(annotator, study).current.pair_id == first.pk

    def test_a_harm_that_the_study_does_not_announce_is_not_agreed_to(self, study):
        change_terms(study, categories=["crime"])
        person = factories.member(study, "annotator")
        factories.pair(study, may_show=["crime", "terrorism"])
        assert serving.lease(person, study).current is None

    def test_withdrawing_releases_all_pairs_and_keeps_the_answers(self, study, annotator):
        factories.pairs(study, 3)
        answered = factories.answer(annotator, study)
        serving.lease(annotator, study)
        agreements.withdraw(annotator, study)
        assert sorted(Assignment.objects.values_list("state", flat=True)) == ["released", "released", "submitted"]
        assert Pair.objects.filter(open_slots=1).count() == 2
        assert answered.annotations.count() == 1
        assert serving.lease(annotator, study).reason == "consent"

    def test_withdrawing_twice_writes_once(self, study, annotator):
        for _ in range(2):
            agreements.withdraw(annotator, study)
        assert AuditEvent.objects.filter(action="consent.withdrawn").count() == 1

    def test_repeating_the_same_writes_nothing(self, study, annotator):
        for _ in range(3):
            agreements.agree(annotator, study, categories=study.categories, text="I agree.")
        assert Consent.objects.count() == 1
        assert AuditEvent.objects.filter(action="consent.given").count() == 1

    def test_earlier_consents_are_kept(self, study, annotator):
        agreements.agree(annotator, study, categories=["crime"], text="I agree to less.")
        earlier, now = Consent.objects.order_by("pk")
        assert earlier.withdrawn_at is not None
        assert (now.categories, now.withdrawn_at) == (["crime"], None)

    def test_outdated_terms_are_refused_and_the_consent_is_unchanged(self, study, annotator):
        stale = Study.objects.get(pk=study.pk)
        change_terms(study, categories=["crime"])
        agreements.agree(annotator, study, categories=["crime"], text="I agree to version 2.")
        with pytest.raises(ChangedMeanwhile):
            agreements.agree(annotator, stale, categories=["violence"], text="I agree to version 1.")
        assert agreements.in_force(annotator, study)


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
class TestTwoAtOnce:
    def at_once(self, *works):
        failures = []
        start = threading.Barrier(len(works))

        def run(work):
            try:
                start.wait(timeout=20)
                work()
            except Exception as error:
                failures.append(error)
            finally:
                connection.close()

        threads = [threading.Thread(target=run, args=(work,)) for work in works]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []

    def test_agreeing_in_several_tabs_leaves_one_agreement(self, study, newcomer):
        def agreeing(*categories):
            return lambda: agreements.agree(newcomer, study, categories=categories, text="I agree.")

        for _ in range(3):
            self.at_once(*(agreeing(*choice) for choice in (["crime"], ["violence"], [], ["crime"])))
            live = Consent.objects.get(withdrawn_at=None)
            left_out = {key for key in HARM_KEYS if key not in live.categories}
            assert set(Seat.objects.get(person=newcomer).excluded) == left_out

    def test_leaving_out_a_harm_while_asking_for_a_pair_leaves_none_that_may_show_it(self, study):
        factories.pairs(study, 4, may_show=["crime"], wanted=6)
        for _ in range(6):
            person = factories.member(study, "annotator")
            self.at_once(
                lambda person=person: serving.lease(person, study),
                lambda person=person: agreements.agree(person, study, categories=[], text="I agree."),
            )
            assert not Assignment.objects.filter(person=person, state="leased").exists()
        assert set(Pair.objects.values_list("open_slots", flat=True)) == {6}

    def test_terms_changed_twice_at_once_change_once(self, study):
        stale = [Study.objects.get(pk=study.pk) for _ in range(3)]
        refused = []

        def changing(row, harm):
            def work():
                try:
                    change_terms(row, categories=[harm])
                except Refused:
                    refused.append(harm)

            return work

        self.at_once(*(changing(row, harm) for row, harm in zip(stale, ["crime", "hate", "porn"], strict=True)))
        study.refresh_from_db()
        assert (study.consent_version, len(refused)) == (2, 2)
        assert len(study.categories) == 1


class TestTerms:
    def test_other_categories_make_a_version_with_the_same_words(self, study):
        words = text_of(study, Document.Kind.CONSENT, "en").text
        assert change_terms(study, categories=["crime"]) == 2
        study.refresh_from_db()
        assert (study.consent_version, study.categories) == (2, ["crime"])
        assert text_of(study, Document.Kind.CONSENT, "en").version == 2
        assert text_of(study, Document.Kind.CONSENT, "en").text == words

    def test_a_change_of_nothing_makes_no_version(self, study):
        assert change_terms(study, categories=list(reversed(study.categories))) == 1
        assert not AuditEvent.objects.filter(action=CHANGED).exists()

    def test_the_harms_of_each_version_are_known(self, study):
        change_terms(study, categories=["crime"])
        change_terms(study, texts={"en": "Other words."})
        change_terms(study, categories=["crime", "hate"])
        asked = [categories_of(study, version) for version in (1, 2, 3, 4)]
        assert asked == [list(HARM_KEYS), ["crime"], ["crime"], ["crime", "hate"]]

    def test_an_unknown_harm_changes_nothing(self, study):
        with pytest.raises(Refused, match="not among the twelve"):
            change_terms(study, categories=["rude"])
        study.refresh_from_db()
        assert study.consent_version == 1

    def test_a_text_that_cannot_be_published_changes_no_category(self, study):
        with pytest.raises(Refused):
            change_terms(study, categories=["crime"], texts={"tlh": "x"})
        assert Study.objects.get(pk=study.pk).categories == list(HARM_KEYS)


class TestStatedFacts:
    def test_the_facts_that_the_text_links_to_are_on_the_page(self, browser_client, study, newcomer):
        page = browser_client(newcomer).get(page_of(study)).content.decode()
        for promise in PROMISES:
            assert f'<a href="#{promise.key}">' in page
            assert f'id="{promise.key}"' in page
        assert "By the hour, breaks included" in page
        assert "2 hours at most" in page

    def test_missing_facts_are_stated_as_missing(self, browser_client, study, newcomer):
        Study.objects.filter(pk=study.pk).update(help_contact="", pay_basis="", daily_dose_s=0, break_s=0)
        page = browser_client(newcomer).get(page_of(study)).content.decode()
        for words in ("has no contact yet", "not stated yet: ask before you agree", "no limit", "none set"):
            assert words in page

    def test_the_stated_facts_are_stored_with_the_consent(self, browser_client, study, newcomer):
        browser_client(newcomer).post(page_of(study), sent(study, "violence"))
        kept = Consent.objects.get(user=newcomer).text
        assert "- Pay, also for breaks: By the hour, breaks included" in kept
        assert "- Talk to someone: The study desk, extension 100" in kept
