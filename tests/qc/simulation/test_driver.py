"""Simulated people work through a study by the real functions."""

import pytest

from annotation.models import Annotation, Assignment
from qc.simulation import driver, material
from qc.simulation.people import broken, crowd
from qc.simulation.truth import plant
from tests.annotation.recounting import contradictions

pytestmark = pytest.mark.django_db


def simulate(slug, *, seed=1, people=5, pairs=12, overlap=3, breaks=()):
    simulated = material.make_study(slug, seed, people=people, reviewers=1, overlap=overlap)
    annotators = broken(crowd(people, seed), breaks, seed)
    driver.work_through(simulated, plant(pairs, seed), annotators, seed)
    return simulated


def given(simulated):
    """Return everything that people answered, by person, without the keys of rows."""
    number = {person.pk: place for place, person in enumerate(simulated.annotators)}
    pairs = {public_id: place for place, public_id in enumerate(driver.pair_keys(simulated.study))}
    rows = Annotation.objects.filter(study=simulated.study).order_by("pk").select_related("assignment__pair")
    return [
        (
            *(number[row.author_id], pairs[row.assignment.pair.public_id], row.assignment.left),
            *(row.instruction_following, row.correctness, row.informativeness, row.aesthetics),
            *(row.helpfulness, row.harmlessness, row.tags_video_0, row.tags_video_1, row.timings_ms),
            row.presentation,
        )
        for row in rows
    ]


def test_everybody_works_until_every_pair_is_answered():
    simulated = simulate("first")
    assert Annotation.objects.filter(study=simulated.study).count() == 36
    assert not Assignment.objects.filter(study=simulated.study).exclude(state="submitted").exists()
    assert contradictions(simulated.study.pk) == {}
