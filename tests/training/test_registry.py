"""Decisions about model versions: by comparisons, and by people."""

import threading

import pytest
from django.db import connection

from accounts.models import AuditEvent
from diptych.refusals import BadInput, Refused
from tests.training.registering import clusters, decided, owner, reward_rows, tag_rows, trained, work
from tests.training.training import released
from training import registry, registry_waiting
from training.models import ComparedCluster, ModelVersion, Run
from webhooks import endpoints
from webhooks.models import Event

pytestmark = pytest.mark.django_db
GOOD, FAIR, CHANCE = (reward_rows(right, clusters()) for right in (0.9, 0.65, 0.5))


@pytest.fixture
def release(study):
    return released(study)


def test_a_first_version_above_chance_is_promoted_at_once(study, release):
    endpoints.create(study, actor=owner(study), address="https://example.org/hook", events=["model.promoted"])
    version = decided(release, GOOD)
    assert (version.state, version.decision, version.comparison, version.clusters) == ("promoted", "first", 1, 60)
    assert 0.3 < version.low < version.high < 0.5
    assert ComparedCluster.objects.filter(version=version).count() == 60
    assert [point["n"] for point in version.reliability["helpfulness"]] == [105, 135]
    event = AuditEvent.objects.get(action="model.decided")
    assert (event.actor, event.after["state"], event.after["decision"]) == (None, "promoted", "first")
    told = Event.objects.get(type="model.promoted").data
    assert told == {"study": study.slug, "version_id": version.pk, "family": "helpfulness", "number": 1} | {
        "run": version.run_id
    }


@pytest.mark.long
def test_a_first_version_that_guesses_is_kept_and_the_next_one_is_comparison_two(release):
    first = decided(release, CHANCE)
    assert (first.state, first.decision, first.comparison) == ("kept", "undecided", 1)
    second = decided(release, GOOD, seed=2)
    assert (second.state, second.decision, second.comparison, second.against) == ("promoted", "first", 2, None)


def test_a_better_version_replaces_the_promoted_one(release):
    first = decided(release, FAIR)
    second = decided(release, GOOD, seed=2)
    first.refresh_from_db()
    assert (first.state, second.state, second.decision, second.against) == ("kept", "promoted", "better", first)
    assert (second.comparison, second.low > 0) == (2, True)


@pytest.mark.parametrize(("rows", "decision"), [(GOOD, "not_worse"), (FAIR, "worse")])
def test_a_version_that_is_not_better_is_kept(release, rows, decision):
    first = decided(release, GOOD)
    second = decided(release, rows, seed=2)
    first.refresh_from_db()
    assert (first.state, second.state, second.decision) == ("promoted", "kept", decision)


@pytest.mark.long
def test_too_few_clusters_use_up_no_comparison(release):
    few = reward_rows(0.9, clusters(49))
    first = decided(release, few)
    assert (first.state, first.decision, first.comparison, first.clusters) == ("kept", "not_decidable", None, 49)
    assert not ComparedCluster.objects.exists()
    assert decided(release, GOOD, seed=2).comparison == 1


@pytest.mark.long
def test_fifty_fresh_clusters_set_the_number_of_the_comparison_back(release):
    decided(release, FAIR)
    assert decided(release, FAIR, seed=2).comparison == 2
    work_on_others(release, 109, expected=3)
    work_on_others(release, 159, expected=1)


def work_on_others(release, count, *, expected):
    """Train on a later release whose test part has so many clusters, and evaluate the promoted version on it."""
    rows = reward_rows(0.65, clusters(count))
    later = released(release.study)
    made = trained(later, rows)
    registry.decide_waiting()
    evaluation = Run.objects.get(purpose="evaluate", release=later)
    assert (evaluation.asked_because, evaluation.version.state) == ("comparison", "promoted")
    made.refresh_from_db()
    assert made.state == "candidate"
    work(evaluation, rows)
    assert registry.decide_waiting(evaluation.pk) == 1
    made.refresh_from_db()
    assert (made.comparison, made.clusters) == (expected, count)


@pytest.mark.long
def test_a_candidate_waits_for_one_evaluation_however_often_it_is_asked_for(study, release):
    decided(release, FAIR)
    later = released(study)
    made = trained(later, GOOD)
    for _again in range(3):
        assert registry.decide(made.pk) == "candidate"
    assert Run.objects.filter(purpose="evaluate").count() == 1


@pytest.mark.long
def test_an_evaluation_that_failed_leaves_the_version_undecided(study, release):
    first = decided(release, FAIR)
    made = trained(released(study), GOOD)
    registry.decide_waiting()
    Run.objects.filter(purpose="evaluate").update(state="failed", reason="Out of memory", finished_at=made.created_at)
    assert registry.decide(made.pk) == "kept"
    made.refresh_from_db()
    assert (made.decision, made.reason, made.against) == ("undecided", registry.NOT_EVALUATED, first)
    assert registry_waiting.can_compare_again(made)

    registry_waiting.compare_again(made, actor=owner(study))
    with pytest.raises(Refused, match="could not be made"):  # somebody else pressed it too
        registry_waiting.compare_again(made, actor=owner(study))
    assert "predicted the same test answers" in registry_waiting.waits_for(made)
    work(Run.objects.get(purpose="evaluate"), FAIR)
    registry.decide_waiting()
    made.refresh_from_db()
    assert (made.state, made.decision, made.against) == ("promoted", "better", first)


@pytest.mark.long
def test_predictions_about_other_answers_or_of_another_form_decide_nothing(release):
    decided(release, FAIR)
    other = decided(release, reward_rows(0.9, clusters(first=30)), seed=2)
    assert (other.state, other.reason, other.comparison) == ("kept", registry.NOT_COMPARABLE, None)
    broken = decided(release, [{"target": "helpfulness", "score": 0.5}], seed=3)
    assert (broken.state, broken.reason) == ("kept", registry.UNREADABLE)


@pytest.mark.long
def test_a_moderation_model_is_promoted_if_its_precision_is_above_prevalence(release):
    guessing = decided(release, tag_rows(clusters(), signal=False), kind="moderation")
    assert guessing.state == "kept"
    version = decided(release, tag_rows(clusters()), kind="moderation", seed=2)
    assert (version.state, version.decision, version.clusters) == ("promoted", "first", 60)
    assert [round(point["observed"], 2) for point in version.reliability["any_harm"]] == [0, 1]


@pytest.mark.long
def test_a_person_promotes_a_version_that_is_not_worse_and_takes_it_back(release, researcher):
    first, second = decided(release, GOOD), decided(release, GOOD, seed=2)
    with pytest.raises(BadInput):
        registry.promote(second, reason=" ", actor=researcher)
    registry.promote(second, reason="It is faster.", actor=researcher)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state, second.decided_by, second.reason) == (
        *("kept", "promoted", researcher, "It is faster."),
    )
    assert registry.promote(second, reason="Again", actor=researcher).reason == "It is faster."
    registry.take_back(second, reason="It fails on long prompts.", actor=researcher)
    assert registry.promoted(second.family) is None
    registry.promote(first, reason="The one before.", actor=researcher)
    assert registry.promoted(second.family) == first
    events = AuditEvent.objects.filter(action="model.decided", actor=researcher).order_by("pk")
    assert [event.after["state"] for event in events] == ["promoted", "kept", "promoted"]


@pytest.mark.long
def test_a_person_may_not_promote_a_worse_version_or_one_compared_with_another(release, researcher):
    decided(release, GOOD)
    worse, same = decided(release, FAIR, seed=2), decided(release, GOOD, seed=3)
    with pytest.raises(Refused, match="better or not worse"):
        registry.promote(worse, reason="I like it", actor=researcher)
    registry.promote(same, reason="Newer", actor=researcher)
    first = ModelVersion.objects.get(number=1)
    with pytest.raises(Refused, match="not compared with version 3"):
        registry.promote(first, reason="Older", actor=researcher)
    registry.withdraw(first, reason="Its videos were withdrawn.", actor=researcher)
    registry.take_back(same, reason="Old", actor=researcher)
    with pytest.raises(Refused, match="is kept"):
        registry.promote(first, reason="Older", actor=researcher)
    with pytest.raises(Refused, match="withdrawn already"):
        registry.withdraw(first, reason="Twice", actor=researcher)


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_decide_a_candidate_once(study):
    made = trained(released(study), GOOD)
    start, states = threading.Barrier(2), []

    def decide():
        start.wait()
        states.append(registry.decide(made.pk))
        connection.close()

    threads = [threading.Thread(target=decide) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert "promoted" in states
    assert AuditEvent.objects.filter(action="model.decided").count() == 1
