"""What follows from findings: validity, dismissal, changes of the rules, and runs over earlier answers."""

import json
import threading

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import AuditEvent
from annotation import serving
from annotation.models import Assignment, Standing
from annotation.standings import change_standing
from catalog.models import Pair
from diptych.refusals import BadInput, ChangedMeanwhile, Refused
from findings import checking, dismissing, marks, rules, runs, switches
from findings.models import Finding, FindingsRun, StudyRules
from findings.tasks import check_new_answers
from tests import factories
from tests.annotation.test_revisions import revise
from tests.findings.finding import CONTRADICTORY, found, harmless, helpful

pytestmark = pytest.mark.django_db

PLAIN = helpful("video_0") | harmless("video_0", ["hate"], ["hate"])
#: Faster than the clips of the factories, which take two seconds.
FAST = PLAIN | {"timings_ms": {"total_active": 500}}


def change(study, actor, **values):
    """Change some of the study's rules, as somebody who has seen the present ones."""
    seen = switches.as_seen(switches.rules_of(study))
    return switches.change_rules(study, **seen | values, seen=seen, actor=actor)


def validity(assignment):
    standing = Standing.objects.get(pk=assignment.pk)
    return standing.validity, standing.reason, standing.counted


class TestValidity:
    def test_only_a_contradiction_makes_an_answer_invalid_by_default(self, study, annotator):
        factories.pairs(study, 2)
        fast = factories.answer(annotator, study, **FAST)
        contradictory = factories.answer(annotator, study, **CONTRADICTORY)
        assert validity(contradictory) == ("invalid", "contradiction", True)  # at once
        assert [rule for rule, _ in found()] == ["contradiction", "faster_than_videos"]
        assert validity(contradictory) == ("invalid", "contradiction", True)
        assert validity(fast) == ("valid", "", True)
        assert not Finding.objects.filter(mark_due=True).exists()

    def test_another_rule_does_if_the_study_lists_it_and_no_longer_if_not(self, study, annotator, researcher):
        factories.pairs(study, 1)
        fast = factories.answer(annotator, study, **FAST)
        found()
        change(study, researcher, invalidating=["contradiction", "faster_than_videos"])
        check_new_answers()
        assert validity(fast) == ("invalid", "faster_than_videos", True)
        change(study, researcher, invalidating=["contradiction"])
        check_new_answers()
        assert validity(fast) == ("valid", "", True)
        events = AuditEvent.objects.filter(action="annotation.standing").order_by("pk")
        assert [event.after["validity"] for event in events] == ["invalid", "valid"]

    def test_a_contradiction_stays_valid_if_the_study_says_so(self, study, annotator, researcher):
        factories.pairs(study, 1)
        change(study, researcher, invalidating=[])
        answered = factories.answer(annotator, study, **CONTRADICTORY)
        assert found() == [("contradiction", answered.pk)]
        assert validity(answered) == ("valid", "", True)

    def test_a_rule_that_is_switched_off_takes_its_marks_back(self, study, annotator, researcher):
        factories.pairs(study, 1)
        answered = factories.answer(annotator, study, **CONTRADICTORY)
        found()
        change(study, researcher, on=["one_side"], invalidating=[])
        assert found() == []
        assert validity(answered) == ("valid", "", True)

    def test_an_answer_that_is_invalid_for_another_reason_keeps_it(self, study, annotator, researcher):
        factories.pairs(study, 1)
        fast = factories.answer(annotator, study, **FAST)
        change_standing(fast.standing, actor=researcher, validity="invalid", reason="off_guideline")
        change(study, researcher, invalidating=["faster_than_videos"])
        found()
        assert validity(fast)[:2] == ("invalid", "off_guideline")
        assert not Finding.objects.get(rule="faster_than_videos").marked

    def test_a_second_finding_marks_the_answer_when_the_first_is_dismissed(self, study, annotator, researcher):
        factories.pairs(study, 1)
        both = factories.answer(annotator, study, **CONTRADICTORY | {"timings_ms": {"total_active": 500}})
        change(study, researcher, invalidating=["contradiction", "faster_than_videos"])
        found()
        dismissing.dismiss(Finding.objects.get(rule="contradiction"), because="A mirror", actor=researcher)
        check_new_answers()
        assert validity(both)[:2] == ("invalid", "faster_than_videos")

    def test_a_person_who_made_an_answer_valid_is_not_overruled_by_the_next_check(self, study, annotator, researcher):
        factories.pairs(study, 1)
        answered = factories.answer(annotator, study, **CONTRADICTORY)
        found()
        change_standing(Standing.objects.get(), actor=researcher, validity="valid")
        runs.run_rules(study, actor=researcher)
        check_new_answers()
        assert validity(answered)[0] == "valid"


class TestAskedAgain:
    @pytest.fixture(autouse=True)
    def _switched_on(self, study, researcher):
        change(study, researcher, ask_again=True)

    def test_somebody_else_is_asked(self, study, annotator):
        factories.pairs(study, 1)
        answered = factories.answer(annotator, study, **CONTRADICTORY)
        found()
        assert validity(answered) == ("invalid", "contradiction", False)
        assert Pair.objects.get().open_slots == 1
        another = factories.member(study, "annotator")
        assert serving.lease(another, study).current.pair_id == answered.pair_id

    @pytest.mark.long
    def test_only_three_times(self, study):
        factories.pairs(study, 1)
        for _ in range(4):
            factories.answer(factories.member(study, "annotator"), study, **CONTRADICTORY)
            found()
        assert Pair.objects.get().open_slots == 0
        assert Standing.objects.filter(counted=False).count() == marks.MOST_ASKED_AGAIN

    def test_not_while_the_batch_is_being_checked(self, study, annotator):
        factories.pairs(study, 1)
        factories.answer(annotator, study, **CONTRADICTORY)
        batch = factories.batch(study)
        batch.state = "in_review"
        batch.save()
        found()
        assert Pair.objects.get().open_slots == 0

    def test_dismissing_it_counts_the_answer_again_while_its_slot_is_free(self, study, annotator, researcher):
        factories.pairs(study, 1)
        answered = factories.answer(annotator, study, **CONTRADICTORY)
        found()
        dismissing.dismiss(Finding.objects.get(), because="A mirror", actor=researcher)
        assert validity(answered) == ("valid", "", True)
        assert Pair.objects.get().open_slots == 0


class TestDismissing:
    @pytest.fixture
    def finding(self, study, annotator):
        factories.pairs(study, 1)
        factories.answer(annotator, study, **CONTRADICTORY)
        found()
        return Finding.objects.get()

    def test_the_answer_becomes_valid_and_it_is_recorded_who_and_why(self, finding, researcher):
        dismissing.dismiss(finding, because="  The tag is\n a mistake ", actor=researcher)
        assert validity(finding.assignment)[0] == "valid"
        event = AuditEvent.objects.get(action="finding.dismissed")
        assert (event.actor, event.after["because"]) == (researcher, "The tag is a mistake")
        assert AuditEvent.objects.filter(action="annotation.standing").latest("pk").actor == researcher
        runs.run_rules(finding.study, actor=researcher)
        assert found() == []

    def test_it_can_be_brought_back(self, finding, researcher):
        dismissing.dismiss(finding, because="A mistake", actor=researcher)
        dismissing.bring_back(finding, actor=researcher)
        dismissing.bring_back(finding, actor=researcher)
        assert validity(finding.assignment)[0] == "invalid"
        assert len(found()) == 1

    def test_it_needs_a_reason(self, finding, researcher):
        for because in ("  ", "x" * 501):
            with pytest.raises(Refused):
                dismissing.dismiss(finding, because=because, actor=researcher)

    def test_a_finding_that_has_ended_stays_as_it_is(self, finding, researcher):
        Finding.objects.update(ended_at="2026-01-01T00:00Z")
        with pytest.raises(Refused, match="has ended"):
            dismissing.dismiss(finding, because="A mistake", actor=researcher)


class TestChangesOfTheRules:
    def test_a_change_from_an_old_page_is_refused(self, study, researcher):
        seen = switches.as_seen(switches.rules_of(study))
        change(study, researcher, ask_again=True)
        with pytest.raises(ChangedMeanwhile):
            switches.change_rules(study, **seen, seen=seen, actor=researcher)

    def test_rules_that_do_not_exist_or_only_write_notes_are_refused(self, study, researcher):
        for values in (
            {"on": ["odd"]},
            {"invalidating": ["preference_cycle"]},
            {"on": [], "invalidating": ["one_side"]},
        ):
            with pytest.raises(BadInput):
                change(study, researcher, **values)

    def test_saving_the_same_changes_nothing(self, study, researcher):
        assert change(study, researcher) == []
        assert not AuditEvent.objects.filter(action="findings.rules_changed").exists()


class TestRevisions:
    def test_a_revised_answer_is_checked_again(self, study, annotator):
        factories.pairs(study, 1)
        answered = factories.answer(annotator, study, **CONTRADICTORY)
        found()
        revise(answered, **PLAIN)
        assert found() == []
        assert validity(answered) == ("valid", "", True)
        assert Finding.objects.get().ended_at


class TestRuns:
    def test_a_new_version_finds_again_in_earlier_answers(self, study, annotator, researcher, monkeypatch):
        factories.pairs(study, 1)
        factories.answer(annotator, study, **CONTRADICTORY)
        found()
        Finding.objects.update(version=0)
        StudyRules.objects.update(checked={"contradiction": 0})
        assert "contradiction" in switches.not_yet_run(switches.rules_of(study))
        job = runs.run_rules(study, ["contradiction"], actor=researcher)
        assert (job.state, job.found, job.ended) == ("done", 0, 0)
        assert Finding.objects.get().version == rules.RULES["contradiction"].version
        assert "contradiction" not in switches.not_yet_run(switches.rules_of(study))

    def test_all_phases_run_in_steps_and_end_what_is_no_longer_found(self, study, annotator, researcher, monkeypatch):
        monkeypatch.setattr(runs, "A_STEP", dict.fromkeys(runs.Phase, 1))
        prompt = factories.prompt(study)
        a, b, c = (factories.video(prompt) for _ in range(3))
        for first, second in ((a, b), (b, c), (c, a)):
            factories.pair(study, prompt=prompt, video_0=first, video_1=second)
        for _ in range(3):
            factories.answer(annotator, study, **FAST)
        stale = Assignment.objects.first()
        facts = {"annotation": stale.standing.current, "person": annotator, "severity": "warning", "version": 1}
        Finding.objects.create(study=study, assignment=stale, rule="one_side", **facts)
        job = runs.run_rules(study, actor=researcher)
        assert (job.state, job.found, job.ended) == ("done", 6, 1)
        assert Standing.objects.filter(rules_due=True).count() == 3  # the run leaves them to the periodic check
        assert len(found()) == 6

    def test_one_run_at_a_time(self, study, annotator, researcher):
        FindingsRun.objects.create(study=study, rules=["one_side"], until=1, asked_by=researcher)
        with pytest.raises(Refused, match="already being run"):
            runs.run_rules(study, actor=researcher)

    def test_a_rule_that_is_off_or_unknown_is_refused(self, study, researcher):
        with pytest.raises(Refused, match="off in this study"):
            runs.run_rules(study, ["tags_against_labels"], actor=researcher)
        with pytest.raises(BadInput):
            runs.run_rules(study, ["odd"], actor=researcher)
        change(study, researcher, on=[], invalidating=[])
        with pytest.raises(Refused, match="No rule is on"):
            runs.run_rules(study, actor=researcher)

    def test_a_waiting_run_can_be_cancelled(self, study, researcher):
        job = FindingsRun.objects.create(study=study, rules=["one_side"], until=1, asked_by=researcher)
        runs.cancel(job, actor=researcher)
        runs.cancel(job, actor=researcher)
        job.refresh_from_db()
        assert job.state == "cancelled"

    def test_a_rule_that_is_switched_on_later_has_not_seen_earlier_answers(self, study, annotator, researcher):
        factories.pairs(study, 1)
        factories.answer(annotator, study, **PLAIN)
        found()
        on = [*switches.rules_of(study).on, "tags_against_labels"]
        change(study, researcher, on=on)
        assert switches.not_yet_run(switches.rules_of(study)) == ["tags_against_labels"]
        runs.run_rules(study, actor=researcher)
        assert switches.not_yet_run(switches.rules_of(study)) == []


def test_an_ordinary_submission_takes_no_statement_more(study, annotator):
    """The rules read new answers later: a flag with a partial index says which."""
    factories.pairs(study, 2)
    with CaptureQueriesContext(connection) as taken:
        factories.answer(annotator, study, **PLAIN)
    assert not [query for query in taken.captured_queries if "qc_" in (query["sql"] or "")]
    assert Standing.objects.get().rules_due


class TestPages:
    @pytest.fixture
    def client(self, browser_client, researcher):
        return browser_client(researcher)

    @pytest.fixture
    def busy(self, study, annotator):
        factories.pairs(study, 6)
        factories.answer(annotator, study, **CONTRADICTORY)
        factories.answer(annotator, study, **FAST)
        factories.answer(factories.member(study, "annotator"), study, **CONTRADICTORY)
        found()
        return study

    def test_an_empty_study_has_a_page(self, client, study):
        page = client.get(reverse("findings:findings", args=[study.slug]))
        assert "No open findings" in page.content.decode()

    @pytest.mark.long
    def test_each_count_is_the_length_of_the_list_it_leads_to(self, client, busy):
        address = reverse("findings:findings", args=[busy.slug])
        page = client.get(address)
        assert page.context["count"].number == 3
        for one in page.context["summary"]:
            listed = client.get(address, {"rule": one["rule"].code})
            assert listed.context["count"].number == one["number"]
        assert 'href="?rule=contradiction">2</a>' in page.content.decode()

    def test_filters_narrow_the_list_and_its_file(self, client, busy):
        address = reverse("findings:findings", args=[busy.slug])
        code = client.get(address).context["rows"][0]["code"]
        for filters, expected in (
            ({"severity": "warning"}, 1),
            ({"author": code}, 1),
            ({"batch": 1}, 3),
            ({"batch": 7}, 0),
            ({"invalid": "yes"}, 2),
            ({"state": "dismissed"}, 0),
            ({"state": "all"}, 3),
        ):
            assert len(client.get(address, filters).context.get("rows", [])) == expected, filters
            file = b"".join(client.get(reverse("findings:findings_csv", args=[busy.slug]), filters))
            assert file.count(b"\n") == expected + 1
        assert client.get(address, {"author": "zz"}).status_code == 400

    def test_a_finding_is_dismissed_and_brought_back(self, client, busy):
        finding = Finding.objects.filter(rule="contradiction").first()
        act = reverse("findings:finding", args=[busy.slug, finding.pk])
        client.post(act, {"act": "dismiss", "because": "A <mirror>"})
        page = client.get(reverse("findings:findings", args=[busy.slug]), {"state": "dismissed"})
        assert "A &lt;mirror&gt;" in page.content.decode()
        client.post(act, {"act": "bring_back"})
        finding.refresh_from_db()
        assert finding.in_force

    @pytest.mark.long
    def test_many_are_dismissed_with_one_reason_and_their_answers_follow(self, client, busy, researcher):
        invalid = Standing.objects.filter(validity="invalid").count()
        assert invalid
        dismiss = reverse("findings:dismiss_findings", args=[busy.slug])
        first = Finding.objects.filter(rule="contradiction").first()
        page = client.post(
            dismiss, {"which": "chosen", "findings": [first.pk, "x"], "because": "A mirror"}, follow=True
        )
        assert "1 finding was dismissed." in page.content.decode()
        rest = Finding.objects.filter(rule="contradiction", ended_at=None, dismissed_at=None).count()
        others = Finding.objects.exclude(rule="contradiction").filter(ended_at=None, dismissed_at=None).count()
        client.post(f"{dismiss}?rule=contradiction", {"which": "all", "because": "Mirrors"})
        assert not Finding.objects.filter(rule="contradiction", ended_at=None, dismissed_at=None).exists()
        assert Finding.objects.filter(ended_at=None, dismissed_at=None).count() == others
        events = AuditEvent.objects.filter(action="findings.dismissed").order_by("pk")
        assert [len(event.after["findings"]) for event in events] == [one for one in (1, rest) if one]
        check_new_answers()
        assert not Standing.objects.filter(validity="invalid", reason="contradiction").exists()
        assert AuditEvent.objects.filter(action="annotation.standing").latest("pk").actor == researcher

    def test_many_are_not_dismissed_without_a_reason(self, client, busy):
        dismiss = reverse("findings:dismiss_findings", args=[busy.slug])
        page = client.post(dismiss, {"which": "all", "because": " "}, follow=True)
        assert "Give a reason." in page.content.decode()
        assert not Finding.objects.filter(dismissed_at__isnull=False).exists()

    @pytest.mark.long
    def test_rules_are_run_from_the_page(self, client, busy):
        page = client.post(reverse("findings:run_rules", args=[busy.slug]), {"rule": "contradiction"}, follow=True)
        assert "0 new findings." in page.content.decode()

    @pytest.mark.long
    def test_rules_are_switched_on_the_settings_page(self, client, busy):
        address = reverse("findings:rules", args=[busy.slug])
        page = client.get(address)
        sent = {"on": ["contradiction", "one_side"], "invalidating": ["one_side"], "seen": page.context["seen"]}
        client.post(address, sent)
        rules = StudyRules.objects.get(study=busy)
        assert switches.as_seen(rules) == {"on": sent["on"], "invalidating": ["one_side"], "ask_again": False}
        assert client.post(address, sent | {"on": ["one_side"]}, follow=True).status_code == 200  # an old page
        assert switches.as_seen(StudyRules.objects.get(study=busy))["on"] == sent["on"]
        fresh = json.dumps(switches.as_seen(rules))
        assert client.post(address, {"on": [], "invalidating": ["one_side"], "seen": fresh}).status_code == 400

    def test_people_who_also_annotate_see_only_pairs_that_they_answered(self, browser_client, busy, researcher):
        researcher.memberships.create(study=busy, role="annotator")
        page = browser_client(researcher).get(reverse("findings:findings", args=[busy.slug]))
        assert "rows" not in page.context or not page.context["rows"]

    def test_pairs_in_quarantine_are_not_listed(self, client, busy):
        Pair.objects.update(held="quarantined")
        page = client.get(reverse("findings:findings", args=[busy.slug]))
        assert not page.context["rows"]

    def test_the_number_of_queries_does_not_grow(self, client, busy, django_assert_max_num_queries):
        with django_assert_max_num_queries(20):
            client.get(reverse("findings:findings", args=[busy.slug]))


class TestAPI:
    def test_findings_are_listed_and_rules_run(self, api, study, annotator, researcher):
        factories.pairs(study, 1)
        factories.answer(annotator, study, **CONTRADICTORY)
        found()
        client, address = api(researcher), f"/api/v1/studies/{study.slug}/findings/"
        listed = client.get(address, {"rule": "contradiction", "state": "in_force"}).json()
        assert listed["next"] is None
        assert listed["findings"][0]["evidence"] == {"safer": "video_0", "tags": ["hate"]}
        assert listed["findings"][0]["made_invalid"] is True
        assert client.get(address, {"after": listed["findings"][0]["id"]}).json()["findings"] == []
        run = client.post(f"{address}runs/", {}, format="json")
        assert (run.status_code, run.json()["state"]) == (201, "done")
        assert client.get(f"{address}runs/").json()["runs"][0]["id"] == run.json()["id"]
        assert client.post(f"{address}runs/", {"rules": ["tags_against_labels"]}, format="json").status_code == 409
        assert client.delete(f"{address}runs/{run.json()['id']}/").json()["state"] == "done"


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_two_checks_at_once_write_each_finding_once(study, annotator):
    """A second check of the study does nothing while the first has the lock of the rules."""
    switches.change_rules(
        study,
        on=["contradiction"],
        invalidating=[],
        ask_again=False,
        seen=switches.as_seen(switches.rules_of(study)),
        actor=annotator,
    )
    factories.pairs(study, 1)
    factories.answer(annotator, study, **CONTRADICTORY)
    second = []

    def check():
        second.append(checking.check_new())
        connection.close()

    with transaction.atomic():
        switches.locked(study)
        thread = threading.Thread(target=check)
        thread.start()
        thread.join(20)
    assert second == [0]
    assert checking.check_new() == 1
    assert Finding.objects.count() == 1
