"""`manage.py simulate_study`: same seed, same answers; invariants hold; claims say what was planted and found."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings
from django.urls import reverse

from annotation import answers as product
from annotation import draws
from annotation.models import Annotation, Assignment, Standing
from annotation.protocol import HARMLESSNESS_OVERALL, HELPFULNESS_OVERALL, SUB_DIMENSIONS
from catalog.models import Batch, Pair
from simulation import driver, filling, material, stored, truth
from simulation.people import broken, crowd
from simulation.truth import plant
from studies.harms import HARM_KEYS
from studies.models import Study
from tests import factories
from tests.annotation.recounting import contradictions

pytestmark = pytest.mark.django_db


def simulate(slug, *, seed=1, people=5, pairs=12, overlap=3, breaks=()):
    simulated = material.make_study(slug, seed, people=people, reviewers=1, overlap=overlap)
    driver.work_through(simulated, plant(pairs, seed), broken(crowd(people, seed), breaks, seed), seed)
    return simulated


def given(simulated):
    """Return everything that people answered, without the keys of rows."""
    number = {person.pk: place for place, person in enumerate(simulated.annotators)}
    places = {key: place for place, key in enumerate(stored.pair_ids(simulated.study))}
    rows = Annotation.objects.filter(study=simulated.study).order_by("pk").select_related("assignment__pair")
    columns = [*truth.QUESTIONS, "tags_video_0", "tags_video_1", "unsure", "timings_ms", "viewing", "presentation"]
    return [
        (number[row.author_id], places[row.assignment.pair.public_id], *(getattr(row, name) for name in columns))
        for row in rows
    ]


def test_everybody_works_until_every_pair_is_answered():
    simulated = simulate("first")
    assert Annotation.objects.filter(study=simulated.study).count() == 36
    assert not Assignment.objects.filter(study=simulated.study).exclude(state="submitted").exists()
    assert contradictions(simulated.study.pk) == {}


@pytest.mark.long
def test_the_same_seed_gives_the_same_answers_and_another_seed_others():
    first = given(simulate("one", people=4, pairs=8))
    assert given(simulate("two", people=4, pairs=8)) == first
    assert given(simulate("three", people=4, pairs=8, seed=2)) != first


@pytest.mark.long
def test_what_is_read_back_is_what_the_model_answered():
    simulated = simulate("back", pairs=8)
    table = stored.answers(simulated)
    world, people = plant(8, 1), crowd(5, 1)
    for number, person in enumerate(people):
        mine = table.of(number)
        sheet = driver.answer(world, person, 1, mine.pair, mine.left, mine.served)
        assert (sheet.choices == mine.sheet.choices).all()
        assert (sheet.tags == mine.sheet.tags).all()


@pytest.mark.long
def test_people_who_copy_repeat_what_a_colleague_answered_before_them():
    simulated = simulate("ring", people=6, pairs=24, overlap=4, breaks=["copying"])
    table = stored.answers(simulated)
    people = broken(crowd(6, 1), ["copying"], 1)
    ring = [person.number for person in people if person.copies]
    assert len(ring) == 2
    one, other = (table.of(number) for number in ring)
    both = sorted(set(one.pair.tolist()) & set(other.pair.tolist()))
    same = [(chosen(one, pair) == chosen(other, pair)).all() for pair in both]
    assert len(both) > 3
    assert sum(same) > len(both) / 2


def chosen(table, pair):
    return table.sheet.choices[table.pair == pair]


@pytest.mark.long
def test_a_study_is_marked_as_simulated():
    study = simulate("marked", pairs=2).study
    assert study.title == "Simulated: marked"
    assert "simulated" in study.terms
    assert {pair.selection_method for pair in Pair.objects.filter(study=study)} == {"simulated"}


PAGES = ["figures:dashboard", "catalog:prompts", "catalog:videos", "catalog:pairs", "answers:list"]


@pytest.mark.long
@pytest.mark.parametrize("name", PAGES)
def test_its_pages_open(name, client):
    study = simulate("pages", pairs=2).study
    client.force_login(factories.member(study, "researcher"))
    response = client.get(reverse(name, args=[study.slug]))
    assert response.status_code == 200
    assert "Simulated: pages" in response.content.decode()


@pytest.mark.long
def test_draws_by_name_do_not_depend_on_keys(study):
    with draws.named({7: "simulated 1", 8: "simulated 1"}):
        assert draws.question_order(study, 7) == draws.question_order(study, 8)
        assert draws.tag_order(study, 7) == draws.tag_order(study, 8)
    assert draws.tag_order(study, 7) != draws.tag_order(study, 8)


@pytest.mark.long
def test_the_model_has_the_questions_and_harms_of_the_protocol():
    questions = (*SUB_DIMENSIONS, HELPFULNESS_OVERALL, HARMLESSNESS_OVERALL)
    assert tuple(question.key for question in questions) == truth.QUESTIONS
    assert len(HARM_KEYS) == truth.TAGS


@pytest.mark.long
def test_ordinary_answers_report_that_both_videos_were_watched():
    lengths = {"video_0": material.DURATION_S, "video_1": material.DURATION_S}
    assert product.unwatched(driver.viewing_of(30.0), lengths) == []
    assert product.unwatched(driver.viewing_of(3.0), lengths) == ["video_0", "video_1"]


@pytest.mark.long
@pytest.mark.parametrize("answers", [40, 61])
def test_a_filled_study_is_one_that_could_have_been_worked(answers, monkeypatch):
    monkeypatch.setattr(filling, "PAIRS_AT_ONCE", 8)
    monkeypatch.setattr(filling, "PAIRS_A_BATCH", 5)
    simulated = material.make_study("filled", 1, people=5, reviewers=1, overlap=3)
    assert filling.Filling(simulated, crowd(5, 1), 1, answers, 3).fill() == answers
    study = simulated.study
    assert Annotation.objects.filter(study=study).count() == answers
    assert contradictions(study.pk) == {}
    missing = -answers % 3
    assert sum(Pair.objects.filter(study=study).values_list("open_slots", flat=True)) == missing
    assert Batch.objects.filter(study=study, state="open").count() == (1 if missing else 0)
    noise = sum(product.Answers.from_annotation(row).contradictory for row in Annotation.objects.filter(study=study))
    assert Standing.objects.filter(study=study, validity="invalid").count() == noise


@pytest.mark.long
def test_real_serving_goes_on_where_a_fill_stopped(monkeypatch):
    simulated = material.make_study("goes-on", 1, people=4, reviewers=1, overlap=3)
    filling.Filling(simulated, crowd(4, 1), 1, 10, 3).fill()
    keys = list(Pair.objects.filter(study=simulated.study).order_by("pk").values_list("pk", flat=True))
    workers = [driver.Worker(person, user) for person, user in zip(crowd(4, 1), simulated.annotators, strict=True)]
    work = driver.Work(simulated.study, plant(4, 1), 1, workers, {key: place for place, key in enumerate(keys)})
    assert work.do() == 2
    assert contradictions(simulated.study.pk) == {}


@pytest.mark.long
def test_the_command_writes_what_was_planted_and_what_was_found(tmp_path, capsys):
    file = tmp_path / "claims.json"
    options = {"people": 6, "pairs": 12, "seed": 3, "breaks": ["difficulty"], "without_review": True}
    call_command("simulate_study", json=file, stdout=StringIO(), **options)
    told = json.loads(file.read_text())
    assert told["study"] == "simulated-3"
    assert [person["number"] for person in told["planted"]["people"]] == list(range(6))
    study = Study.objects.get(slug="simulated-3")
    assert [pair["pair_id"] for pair in told["planted"]["pairs"]] == stored.pair_ids(study)
    found = told["claims"]
    assert found["answers"] == 36
    assert sum(person["answers"] for person in found["people"]) == 36
    assert found["accuracy"]["helpfulness"]["low"] <= found["accuracy"]["helpfulness"]["share"]
    assert set(found["agreement"]) == set(found["reliability"]) == set(truth.QUESTIONS)
    assert "36 answers to 12 pairs by 6 people" in capsys.readouterr().out


@pytest.mark.long
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"pairs": -1}, "--pairs is -1"),
        ({"people": 2}, "Give more people, or less overlap"),
        ({"fill": 0}, "--fill is 0"),
        ({"accuracy": (0.9, 0.99)}, "Choose an accuracy nearer to"),
        ({"skill": (0.9, 1.2)}, "Give a share from 0 to 1"),
        ({"researchers": 0}, "--researchers is 0"),
        ({"slug": "taken"}, "There is already a study “taken”"),
        ({"slug": "Not An Address"}, "small letters"),
        ({"pairs": 10**8}, "at most"),
    ],
)
def test_what_cannot_be_made_is_refused_before_anything_is_written(options, words):
    Study.objects.create(slug="taken", title="Taken")
    with pytest.raises(CommandError, match=words):
        call_command("simulate_study", quick=True, **options)
    assert Study.objects.count() == 1


@pytest.mark.long
def test_a_production_installation_refuses_unless_it_is_asked_to():
    with override_settings(PRODUCTION=True):
        with pytest.raises(CommandError, match=r"production installation.*--allow-production"):
            call_command("simulate_study", quick=True)
        assert not Study.objects.exists()
        call_command("simulate_study", people=3, pairs=2, without_review=True, allow_production=True)
    assert Study.objects.count() == 1
