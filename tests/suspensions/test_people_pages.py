"""Pages and API of suspensions and pauses."""

import pytest
from django.urls import reverse

from annotation.models import Seat, Standing
from suspensions.models import Pause, PauseRule, Suspension
from tests import factories
from tests.qc.reviewed import answered, in_review

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(study):
    return factories.member(study, "admin")


@pytest.fixture
def page(browser_client, study):
    """Return a function that requests an address of the study and returns the response, and its text as `.words`."""

    def ask(who, name, *about, sent=None, **query):
        client = browser_client(who)
        address = reverse(name if ":" in name else f"suspensions:{name}", args=[study.slug, *about])
        response = client.get(address, query) if sent is None else client.post(address, sent)
        response.words = " ".join(response.content.decode().split())
        return response

    return ask


class TestSuspending:
    def test_the_preview_counts_and_changes_nothing(self, page, study, annotator, researcher):
        other = factories.member(study, "annotator")
        answered(study, annotator, other, pairs=10)
        lot = in_review(study, researcher)
        answered(study, annotator, pairs=2, batch=2)
        form = page(researcher, "suspend", annotator.pk)
        assert "Preview the suspension" in form.words
        assert "What happens" not in form.words
        preview = page(researcher, "suspend", annotator.pk, what="all")
        assert "Suspend, and take out 7 answers" in preview.words
        assert f"Lot {lot.number}: 5" in preview.words
        assert reverse("qc:lot_answers", args=[study.slug, lot.number]) in preview.words
        assert not Suspension.objects.exists()

    def test_a_day_is_needed_for_answers_since_a_day(self, page, annotator, researcher):
        response = page(researcher, "suspend", annotator.pk, what="since")
        assert response.status_code == 400
        assert "Give the day from which answers no longer count" in response.words

    def test_without_a_reason_nothing_happens(self, page, annotator, researcher):
        response = page(researcher, "suspend", annotator.pk, sent={"what": "all"})
        assert response.status_code == 400
        assert "Give a reason of at most 2,000 characters" in response.words.replace("2000", "2,000")
        assert not Suspension.objects.exists()

    @pytest.mark.long
    def test_suspend_see_what_was_returned_and_lift(self, page, study, annotator, researcher):
        answered(study, annotator, pairs=2)
        page(researcher, "suspend", annotator.pk, sent={"what": "all", "reason": "Random clicks."})
        suspension = Suspension.objects.get()
        shown = page(researcher, "suspension", suspension.pk)
        assert "Random clicks." in shown.words
        assert "2 answers were taken out." in shown.words
        again = page(researcher, "suspend", annotator.pk)
        assert again.url == reverse("suspensions:suspension", args=[study.slug, suspension.pk])
        assert "in force" in page(researcher, "suspensions").words
        csv = page(researcher, "suspension_csv", suspension.pk)
        assert csv.content.count(b"\n") == 3
        page(researcher, "lift_suspension", suspension.pk, sent={"reason": "A mistake.", "restore": "on"})
        lifted = page(researcher, "suspension", suspension.pk)
        assert "2 answers count again." in lifted.words
        assert Standing.objects.filter(counted=True).count() == 2
        assert "No answer matches this filter" in page(researcher, "suspension", suspension.pk, outcome="taken").words

    def test_lifting_needs_a_reason(self, page, annotator, researcher):
        page(researcher, "suspend", annotator.pk, sent={"what": "none", "reason": "Random clicks."})
        page(researcher, "lift_suspension", Suspension.objects.get().pk, sent={"restore": "on"})
        assert Suspension.objects.get().lifted_at is None

    def test_a_suspension_of_another_study_does_not_exist_here(self, page, annotator, researcher):
        page(researcher, "suspend", annotator.pk, sent={"what": "none", "reason": "Random clicks."})
        elsewhere = factories.study()
        elsewhere.memberships.create(person=researcher, role="researcher")
        address = reverse("suspensions:suspension", args=[elsewhere.slug, Suspension.objects.get().pk])
        client = page(researcher, "suspensions").client
        assert client.get(address).status_code == 404

    def test_empty_lists_say_what_to_do(self, page, researcher):
        assert "Nobody has been suspended" in page(researcher, "suspensions").words
        assert "No suspension matches" in page(researcher, "suspensions", state="lifted").words

    def test_the_dashboard_says_it(self, page, study, annotator, researcher):
        assert "suspended" not in page(researcher, "figures:dashboard").words
        page(researcher, "suspend", annotator.pk, sent={"what": "none", "reason": "Random clicks."})
        words = page(researcher, "figures:dashboard").words
        assert "<b>1</b> person is suspended" in words
        assert f"{reverse('suspensions:suspensions', args=[study.slug])}?state=in_force" in words


class TestPauses:
    def test_rules_are_set_in_percent(self, page, study, admin):
        sent = {f"{figure}_least": 50 for figure in PauseRule.Figure.values}
        page(admin, "pause_rules", sent=sent | {"contradictions_threshold": "12.5", "blind_threshold": "90"})
        rules = {rule.figure: (float(rule.threshold), rule.least) for rule in PauseRule.objects.all()}
        assert rules == {"contradictions": (0.125, 50), "blind": (0.9, 50)}
        assert 'value="12.5"' in page(admin, "pause_rules").words
        assert "at most 12.5 %" in page(admin, "pauses").words.replace("\xa0", " ")
        page(admin, "pause_rules", sent=sent)
        assert not PauseRule.objects.exists()

    def test_a_threshold_out_of_range_is_refused(self, page, admin):
        sent = {f"{figure}_least": 50 for figure in PauseRule.Figure.values}
        response = page(admin, "pause_rules", sent=sent | {"blind_threshold": "100"})
        assert response.status_code == 400
        assert not PauseRule.objects.exists()

    def test_an_admin_ends_a_pause_and_a_researcher_sees_it(self, page, study, annotator, admin, researcher):
        pause = factories.pause(study, annotator)
        seen = page(researcher, "pauses").words
        assert "12 of 50" in seen
        assert "End the pause" not in seen
        assert f"{reverse('findings:findings', args=[study.slug])}?author=" in seen
        assert page(researcher, "end_pause", pause.pk, sent={"reason": "We talked."}).status_code == 403
        page(admin, "end_pause", pause.pk, sent={"reason": ""})
        assert Pause.objects.get().ended_at is None
        page(admin, "end_pause", pause.pk, sent={"reason": "We talked."})
        assert Seat.objects.get(person=annotator).paused_at is None
        assert "We talked." in page(admin, "pauses").words
        page(admin, "end_pause", pause.pk, sent={"reason": "Twice."})
        assert Pause.objects.get().ended_because == "We talked."

    def test_filters_and_csv(self, page, study, annotator, admin):
        factories.judgement(study, annotator)
        other = factories.member(study, "annotator")
        factories.judgement(study, other, hits=0, low=0, high=0.07, beyond=False)
        assert other.username in page(admin, "pauses").words
        assert other.username not in page(admin, "pauses", beyond="yes").words
        csv = page(admin, "pauses_csv", person=other.pk)
        lines = csv.content.decode().splitlines()
        assert len(lines) == 2
        assert lines[1].startswith(f"{other.username},contradictions,50,0,")
        assert "Nobody matches these filters" in page(admin, "pauses", person=admin.pk).words

    def test_reviewers_read_on_the_dashboard_that_somebody_is_paused(self, page, study, annotator):
        factories.pause(study, annotator)
        words = page(factories.member(study, "reviewer"), "figures:dashboard").words
        assert "<b>1</b> person is paused by a rule" in words
        assert reverse("suspensions:pauses", args=[study.slug]) not in words

    def test_a_study_without_rules_says_what_they_are_for(self, page, admin):
        assert "This study has no pause rules" in page(admin, "pauses").words


class TestApi:
    def test_preview_suspend_and_lift(self, api, study, annotator, researcher):
        answered(study, annotator, pairs=3)
        client = api(researcher)
        address = reverse("api:suspensions", args=[study.slug])
        preview = reverse("api:suspension_preview", args=[study.slug])
        assert client.get(preview, {"person": annotator.pk, "what": "all"}).json() == {
            "leases": 0,
            "asked_again": 3,
            "in_review": 0,
            "released": 0,
        }
        body = {"person": annotator.pk, "what": "all", "reason": "Random clicks."}
        made = client.post(address, body, format="json")
        assert (made.status_code, made.json()["state"], made.json()["answers"]) == (201, "done", {"returned": 3})
        assert client.post(address, body, format="json").json()["id"] == made.json()["id"]
        refused = client.post(address, body | {"what": "none"}, format="json")
        assert (refused.status_code, refused.json()["code"]) == (409, "suspended")
        one = reverse("api:suspension", args=[made.json()["id"]])
        assert client.get(one).json() == client.get(address).json()["suspensions"][0]
        lift = reverse("api:suspension_lift", args=[made.json()["id"]])
        assert client.post(lift, {"reason": "A mistake."}, format="json").json()["answers"] == {"restored": 3}

    @pytest.mark.parametrize(
        "values", [{"what": "since"}, {"what": "all", "since": "2026-01-01T00:00Z"}, {"what": "x"}]
    )
    def test_parts_that_do_not_fit_are_refused(self, api, study, annotator, researcher, values):
        body = {"person": annotator.pk, "reason": "Random clicks."} | values
        response = api(researcher).post(reverse("api:suspensions", args=[study.slug]), body, format="json")
        assert response.status_code == 400

    def test_somebody_who_never_annotated_is_not_found(self, api, study, researcher):
        body = {"person": researcher.pk, "reason": "Random clicks."}
        response = api(researcher).post(reverse("api:suspensions", args=[study.slug]), body, format="json")
        assert response.status_code == 404

    def test_pauses_are_listed_and_ended(self, api, study, annotator, admin):
        pause = factories.pause(study, annotator)
        client = api(admin)
        listed = client.get(reverse("api:pauses", args=[study.slug])).json()
        assert (listed["judgements"][0]["pause"], listed["next"]) == (pause.pk, None)
        ended = client.post(reverse("api:pause_end", args=[pause.pk]), {"reason": "We talked."}, format="json")
        assert ended.json()["ended_at"]
        assert client.get(reverse("api:pauses", args=[study.slug]), {"person": admin.pk}).json()["judgements"] == []
