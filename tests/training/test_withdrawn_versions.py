"""Withdrawn versions, damaged predictions, and what they must not keep waiting."""

import pytest
from django.core.files.storage import default_storage
from django.urls import reverse

from catalog.models import Label
from diptych.refusals import Refused
from tests.releases import material
from tests.training.registering import clusters, decided, parquet, reward_rows, trained
from tests.training.test_scoring import score
from tests.training.training import released
from training import registry, scoring
from training.models import Artefact, ModelVersion, Run

pytestmark = pytest.mark.django_db
GOOD = reward_rows(0.9, clusters())


def replaced(version, content):
    """Replace the stored predictions of a version."""
    name = Artefact.objects.get(run=version.run, path="predictions.parquet").stored_name
    with default_storage.open(name, "wb") as file:
        file.write(content)


def without(rows, **values):
    return parquet([*rows[:-1], rows[-1] | values])


@pytest.mark.parametrize(
    "content",
    [
        b"PAR1 not parquet PAR1",
        b"",
        parquet(GOOD)[:-200],
        without(GOOD, score_1=None),
        without(GOOD, cluster=None),
        without(GOOD, score_0=float("nan")),
        parquet([row | {"score_0": "high"} for row in GOOD]),
        parquet([{"target": "helpfulness"}]),
    ],
    ids=["no parquet", "empty", "cut", "null score", "null cluster", "nan", "text", "no columns"],
)
def test_damaged_predictions_decide_nothing_and_keep_nobody_waiting(study, content):
    release = released(study)
    damaged, later = trained(release, GOOD), trained(release, GOOD, seed=2)
    replaced(damaged, content)
    assert registry.decide_waiting() == 2
    damaged.refresh_from_db()
    later.refresh_from_db()
    assert (damaged.state, damaged.reason) == ("kept", registry.UNREADABLE)
    assert later.state == "promoted"


def test_a_version_that_cannot_be_compared_does_not_stop_the_others(study, monkeypatch):
    release = released(study)
    broken, other = trained(release, GOOD), trained(release, GOOD, targets=["harmlessness"])
    decide = registry.decide

    def failing(version_id):
        if version_id == broken.pk:
            raise TypeError("unexpected")
        return decide(version_id)

    monkeypatch.setattr(registry, "decide", failing)
    assert registry.decide_waiting() == 1
    other.refresh_from_db()
    assert other.state != "candidate"


def test_a_candidate_can_be_withdrawn_on_its_page(study, researcher, browser_client):
    first, later = trained(released(study), GOOD), trained(study.releases.get(), GOOD, seed=2)
    address = reverse("models:decide", args=[study.slug, first.family_id, 1])
    page = browser_client(researcher).post(address, {"act": "withdraw", "reason": "Its data were wrong."}, follow=True)
    assert page.status_code == 200
    first.refresh_from_db()
    assert first.state == "withdrawn"
    registry.decide_waiting()
    later.refresh_from_db()
    assert later.state == "promoted"


def test_withdrawing_a_version_cancels_what_it_would_still_score(study, researcher):
    version = decided(released(study), GOOD)
    made = material.pairs(study, 1)
    run = scoring.ask(version, actor=researcher)
    registry.withdraw(version, reason="Its data were wrong.", actor=researcher)
    run.refresh_from_db()
    assert run.state == "cancelled"
    assert not Label.objects.filter(video=made[0].video_0).exists()


def test_a_version_that_was_withdrawn_while_it_scored_writes_nothing(study, researcher):
    version = decided(released(study), GOOD)
    made = material.pairs(study, 1)
    run = scoring.ask(version, actor=researcher)
    ModelVersion.objects.filter(pk=version.pk).update(state="withdrawn")  # just before the worker finishes
    with pytest.raises(Refused, match="The version was withdrawn"):
        score(run, [{"id": made[0].video_0.public_id, "scores": {"helpfulness": 1}}])
    assert not Label.objects.filter(video=made[0].video_0).exists()
    assert Run.objects.get(pk=run.pk).state == "running"
