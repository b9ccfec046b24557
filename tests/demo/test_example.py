"""The design of the example study, its page, and what a repeated command leaves alone."""

import random

import numpy as np
import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from catalog.models import Pair, Prompt
from demo.example import SLUG, design, lots, material, progress, study
from demo.example.clips import CLIPS, clips, take
from demo.example.prompts import NEW_PROMPTS, PROMPTS, prompts
from demo.example.study import SEED
from demo.scenes import Scene
from diptych import demo_example
from media.models import Asset
from qc.models import Lot
from simulation.truth import HELPFULNESS
from studies.models import Study
from tests import factories
from tests.importing.manifests import write_file


def some_test_keys(seed=1):
    drawn = random.Random(seed)
    return {prompt.key for prompt in prompts() if drawn.random() < 0.3}


class TestDesign:
    def test_prompts_and_clips_are_all_different(self):
        assert len({prompt.text for prompt in prompts()}) == PROMPTS + NEW_PROMPTS
        assert {len({prompt.asked[place] for prompt in prompts()}) for place in range(3)} == {2}
        assert len({take(clip).path for clip in clips()}) == CLIPS
        assert all(isinstance(take(clip).scene, Scene) for clip in clips()[:3])

    def test_waves_have_their_sizes_and_no_pair_twice(self):
        waves = design.waves(some_test_keys(), 1)
        assert [len(wave) for wave in waves] == list(design.WAVES)
        shown = [(pair.prompt.key, clip.number) for wave in waves for pair in wave for clip in pair.clips]
        assert len(set(shown)) == len(shown)
        assert design.waves(some_test_keys(), 1) == waves

    def test_no_clip_is_in_both_parts_and_one_of_two_always_fits_better(self):
        test = some_test_keys(2)
        for wave in design.waves(test, 2):
            for pair in wave:
                assert {clip.for_test for clip in pair.clips} == {pair.prompt.key in test}
                one, other = (design.fits(pair.prompt, clip) for clip in pair.clips)
                assert one != other

    def test_what_fits_better_is_more_helpful(self):
        pairs = [(pair.prompt, *pair.clips) for wave in design.waves(set(), 3) for pair in wave]
        world = design.world(pairs, set(), 3)
        better = [int(design.fits(prompt, other) > design.fits(prompt, one)) for prompt, one, other in pairs]
        assert (world.better[:, HELPFULNESS] == np.array(better)).mean() > 0.95
        assert 0.1 < world.tags.any(axis=2).mean() < 0.4


@pytest.fixture
def folder(tmp_path):
    """A state folder in which the clips exist, with bytes that only look like videos."""
    for clip in clips():
        write_file(tmp_path, take(clip).path)
    return tmp_path


@pytest.fixture
def imported(db, folder):
    """The example with the pairs of its first lot, whose videos are ready."""
    simulated = study.get_or_make()
    material.import_prompts(folder)
    material.import_wave(simulated.study, folder, 0)
    Asset.objects.update(state="done", duration_s=2, fps=12, finished_at=timezone.now())
    Pair.objects.update(ready=True)
    return simulated


@pytest.mark.long
def test_importing_again_adds_nothing(imported, folder):
    before = Pair.objects.count(), Prompt.objects.count()
    assert before == (design.WAVES[0], PROMPTS)
    assert material.has_wave(imported.study, 0)
    assert not material.has_wave(imported.study, 1)
    again = study.get_or_make()
    material.import_prompts(folder)
    material.import_wave(again.study, folder, 0)
    assert (Pair.objects.count(), Prompt.objects.count()) == before
    assert (again.study, again.annotators) == (imported.study, imported.annotators)
    assert Prompt.objects.filter(split="test").values("cluster").distinct().count() >= 50


@pytest.mark.long
def test_the_first_lot_is_answered_reviewed_and_accepted(imported, browser_client):
    for _ in range(2):
        lots.answer_all(imported)
    lot = lots.review(imported, 1)
    assert lots.review(imported, 1) == lot
    lots.accept(imported, lot)
    assert (lot.state, 85 <= (lot.frame_size or 0) <= 130) == (Lot.State.ACCEPTED, True)
    found = {step.name: step for step in progress.steps(imported.study)}
    assert found["Lot 1 is accepted"].state == progress.State.DONE
    assert found["Release 1"].state == progress.State.NOW


def test_the_page_shows_what_comes_and_other_studies_have_none(db, browser_client):
    researcher = factories.member(factories.study(slug=SLUG, is_simulated=True), "researcher")
    client = browser_client(researcher)
    page = client.get(reverse("demo:example", args=[SLUG])).content.decode()
    assert page.count("<li data-state=") == len(progress.steps(Study.objects.get(slug=SLUG))) == 12
    assert "Simulated study." in page
    other = factories.study()
    other.memberships.create(person=researcher, role="researcher")
    assert client.get(reverse("demo:example", args=[other.slug])).status_code == 404
    assert "/example/" not in client.get(reverse("releases:list", args=[other.slug])).content.decode()


def test_a_study_called_example_that_somebody_made_is_no_example(db, browser_client):
    researcher = factories.member(factories.study(slug=SLUG), "researcher")
    assert study.existing() is None
    assert browser_client(researcher).get(reverse("demo:example", args=[SLUG])).status_code == 404
    with pytest.raises(Exception, match="There is already a study “example”"):
        study.get_or_make()


def test_people_of_the_demo_join_the_example(db, tmp_path):
    factories.member(factories.study(slug="demo"), "researcher", username="researcher")
    made = study.get_or_make().study
    study.get_or_make()
    assert User.objects.get(username="researcher").memberships.filter(study=made).count() == 1
    assert study.researcher().username == "researcher"
    assert (made.is_simulated, made.seed, made.state) == (True, SEED, "running")


def test_the_loop_can_be_left_out(monkeypatch):
    monkeypatch.setenv("DEMO_LOOP", "0")
    assert demo_example.begin(None, None)() is None


def test_the_command_says_what_went_wrong(db):
    factories.study(slug=SLUG)
    with pytest.raises(Exception, match="The example could not be made: There is already a study"):
        call_command("make_example_study")
