"""Rules that score new videos after each comparison."""

import pytest
from django.urls import reverse

from tests.releases import material
from tests.training.registering import clusters, decided, reward_rows
from tests.training.training import released
from training import registry, rules, scoring_rules, tasks
from training.models import Run, TrainingRule

pytestmark = pytest.mark.django_db
GOOD = reward_rows(0.9, clusters())
BODY = {"kind": "reward", "targets": ["helpfulness"], "least_new_pairs": 1000}


@pytest.fixture
def rule(study, researcher):
    return rules.make(study, **BODY, scores_new_videos=True, actor=researcher)


def scoring_runs():
    return list(Run.objects.filter(purpose="score").order_by("pk"))


def test_after_a_promotion_the_new_videos_are_scored_once(study, rule):
    old = material.pairs(study, 1)
    version = decided(released(study), GOOD)
    material.pairs(study, 1)
    new = material.pairs(study, 2)
    tasks.look_after_training()
    tasks.look_after_training()
    [run] = scoring_runs()
    assert (run.version, run.asked_by) == (version, rule.changed_by)
    videos = [one.pk for pair in new for one in (pair.video_0, pair.video_1)]
    assert set(videos) <= set(run.options["videos"])
    assert old[0].video_0_id not in run.options["videos"]
    assert all(video > scoring_rules.last_video_of(version) for video in run.options["videos"])


def test_a_version_that_is_not_promoted_lets_the_promoted_one_score(study, rule):
    first = decided(released(study), GOOD)
    tasks.look_after_training()  # nothing is new
    assert scoring_runs() == []
    material.pairs(study, 1)
    tasks.look_after_training()  # and nothing was compared since
    assert scoring_runs() == []
    second = decided(first.run.release, reward_rows(0.6, clusters()))
    assert second.state == "kept"
    tasks.look_after_training()
    [run] = scoring_runs()
    assert run.version == first


def test_without_a_promoted_version_or_switched_off_nothing_is_scored(study, rule, researcher):
    version = decided(released(study), GOOD)
    registry.take_back(version, reason="Too early.", actor=researcher)
    material.pairs(study, 1)
    assert scoring_rules.queue_due() == 0
    rules.change(rule, scores_new_videos=False, actor=researcher)
    decided(version.run.release, GOOD)
    assert scoring_rules.queue_due() == 0


def test_the_page_and_the_api_set_it(study, researcher, browser_client, api):
    client = browser_client(researcher)
    body = {"train": ["helpfulness"], "backbone": "small", "wait_minutes": "0", "least_new_pairs": "1"}
    client.post(reverse("training:new_rule", args=[study.slug]), body | {"scores_new_videos": "on"})
    rule = TrainingRule.objects.get()
    assert rule.scores_new_videos
    client.post(reverse("training:rule", args=[study.slug, rule.pk]), {"wait_minutes": "0", "least_new_pairs": "1"})
    path = reverse("api:training_rule", args=[rule.pk])
    assert api(researcher).get(path).json()["scores_new_videos"] is False
    assert api(researcher).patch(path, {"scores_new_videos": True}, format="json").json()["scores_new_videos"] is True
