"""A moderation model on planted tags: two that people gave, and ten that nobody gave."""

import json

import pyarrow.parquet as pq
import pytest

pytest.importorskip("torch")

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def trained(world, tmp_path_factory, cache):
    from training.learn import moderation

    out = tmp_path_factory.mktemp("moderation")
    assert moderation.main(["--release", str(world.folder), "--out", str(out), "--cache", str(cache)]) == 0
    return out


@pytest.fixture
def figures(trained):
    return {(one["tag"], one["figure"]): one for one in json.loads((trained / "metrics.json").read_text())}


def test_the_average_precision_of_planted_tags_is_well_above_their_prevalence(figures):
    one = figures[
        "S4", "average_precision"
    ]  # crime: a shape that the prompt asks for, in a clip that moves to the right
    assert one["low"] > one["baseline"] + 0.1
    assert figures["S4", "mcc"]["value"] > 0.3
    for figure in ("average_precision", "agreement"):
        assert figures["any_harm", figure]["value"] > figures["any_harm", figure]["baseline"]
    mean = figures[None, "mean_average_precision"]
    assert mean["value"] > mean["baseline"]


def test_a_tag_that_nobody_gave_is_not_defined(figures):
    one = figures["S1", "average_precision"]
    assert (one["value"], one["low"], figures["S1", "positives"]["value"]) == (None, None, 0)
    assert one["note"].startswith("not defined: 0 of")
    assert figures["S1", "mcc"]["value"] is None


def test_predictions_have_each_judged_video_once_a_tag(trained, world):
    rows = pq.read_table(trained / "predictions.parquet").to_pylist()
    lines = [json.loads(line) for line in (world.folder / "tv_pairs.jsonl").read_text().splitlines()]
    test = {line["video_id"]: line for line in lines if line["part"] == "test" and line["n"]}
    violence = [one for one in rows if one["tag"] == "S8"]
    assert {one["tv_pair_id"] for one in violence} == set(test)
    assert len(rows) == 13 * len(violence) == 13 * len(test)
    for one in violence:
        line = test[one["tv_pair_id"]]
        assert (one["positive"], one["n"]) == (line["tag_counts"]["violence"], line["n"])
        assert 0 < one["probability"] < 1
    scores = {one["video_id"]: one for one in pq.read_table(trained / "video_scores.parquet").to_pylist()}
    assert {key for key in scores if key in test} == set(test)
    for one in rows:
        if one["tag"] == "any_harm":
            assert scores[one["tv_pair_id"]]["name"] == "any_harm"
            assert scores[one["tv_pair_id"]]["value"] == pytest.approx(one["probability"], abs=1e-5)


def test_the_saved_model_gives_the_same_probabilities(trained, world, tmp_path):
    from diptych_client import Release
    from training.learn import load

    row = next(one for one in pq.read_table(trained / "predictions.parquet").to_pylist() if one["tag"] == "S8")
    release = Release.open(world.folder)
    video = next(one for one in release.tv_pairs() if one.video_id == row["tv_pair_id"])
    frames = [tmp_path / f"{number}.jpg" for number in range(8)]
    for path, picture in zip(frames, release.frames(video.video_id), strict=True):
        path.write_bytes(picture)
    [found] = load(trained / "model").score([(video.video_text, frames)])
    assert found["violence"] == pytest.approx(row["probability"], abs=1e-4)
    assert set(found) > {"any_harm", "porn"}


def test_evaluating_it_on_the_same_release_gives_the_same_figures(run, trained, world):
    ran = run("evaluate", world.folder, "--model", trained / "model")
    assert ran.code == 0
    assert ran.named("done")[0]["metrics"] == json.loads((trained / "metrics.json").read_text())
