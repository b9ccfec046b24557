"""Reward and cost models on planted data: they learn, they stop, they go on, and they say what is wrong."""

import json
import math
import os
import signal
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.learn import planted
from training.learn import events, load, loop
from training.learn.heads import ProductHead
from training.learn.options import POLICIES

torch = pytest.importorskip("torch")
from training.learn.reward import log_chances  # noqa: E402 - it imports torch

#: Agreement of coin tosses with so many answers is below this in 999 of 1,000 cases.
FEW = ("--seeds", 1, "--epochs", 2, "--batch-size", 16)


def by_chance(n):
    return 0.5 + 3.09 * 0.5 / math.sqrt(n)


def weights(out):
    return {path.name: path.read_bytes() for path in (out / "model").glob("*.safetensors")}


@pytest.fixture(scope="module")
def trained(world, tmp_path_factory, cache):
    """Return the run folder of a model of three seeds for two targets."""
    from training.learn import reward

    out = tmp_path_factory.mktemp("trained")
    options = ["--targets", "helpfulness", "harmlessness", "--seeds", "3", "--cache", str(cache)]
    assert reward.main(["--release", str(world.folder), "--out", str(out), *options]) == 0
    return out


def figures(out):
    return {(one["target"], one["figure"]): one for one in json.loads((out / "metrics.json").read_text())}


def test_it_learns_what_prompt_and_video_decide_together(trained, world):
    found = figures(trained)
    for target in ("helpfulness", "harmlessness"):
        one = found[target, "agreement"]
        assert one["n"] >= 200
        assert one["clusters"] >= 50
        assert one["value"] > by_chance(one["n"])
        assert one["low"] < one["value"] < one["high"] < world.ceiling
    assert found["helpfulness", "human_agreement"]["value"] > 0.6
    ceiling = found["helpfulness", "ceiling"]
    assert ceiling["low"] == found["helpfulness", "human_agreement"]["value"] < ceiling["high"] < 1


@pytest.mark.long
def test_of_coin_tosses_it_learns_nothing(run, tmp_path, world):
    tossed = planted.write(tmp_path / "tossed", replace(planted.World(), shuffled=True))
    ran = run("reward", tossed.folder)
    one = ran.figure("agreement")
    assert ran.code == 0
    assert abs(one["value"] - 0.5) < by_chance(one["n"]) - 0.5


def test_the_run_folder_has_what_was_agreed(trained, world):
    assert {path.name for path in trained.iterdir()} == {
        *("options.json", "preflight.json", "checkpoint", "model", "metrics.json"),
        *("predictions.parquet", "video_scores.parquet"),
    }
    assert {path.name for path in (trained / "model").iterdir()} == {"model.safetensors", "model.json", "README.md"}
    options = json.loads((trained / "options.json").read_text())
    assert options["options"]["seed"] == 1
    assert options["options"]["policy"] == {name: choices[0] for name, choices in POLICIES.items()}
    assert len(options["release"]["manifest_sha256"]) == 64
    assert options["wall_s"] > 0
    about = json.loads((trained / "model" / "model.json").read_text())
    assert (about["kind"], about["targets"], about["seeds"]) == ("reward", ["helpfulness", "harmlessness"], [1, 2, 3])
    card = (trained / "model" / "README.md").read_text()
    assert "| helpfulness | agreement | 0." in card
    assert "The cost is the negative score of harmlessness" in card


def test_predictions_have_each_held_out_answer_once_a_seed(trained, world):
    rows = pq.read_table(trained / "predictions.parquet").to_pylist()
    lines = [json.loads(line) for line in (world.folder / "annotations.jsonl").read_text().splitlines()]
    test = {line["annotation_id"]: line for line in lines if line["part"] == "test"}
    assert len(rows) == 2 * 3 * len(test)
    for one in rows:
        line = test[one["annotation_id"]]
        assert one["choice"] == line[one["target"]]["overall"]
        assert (one["pair_id"], one["cluster"]) == (line["pair_id"], line["cluster"])
    agreement = {
        seed: np.mean(
            [(one["score_1"] > one["score_0"]) == (one["choice"] == "video_1") for one in rows if one["seed"] == seed]
        )
        for seed in (1, 2, 3)
    }
    both = [figures(trained)[target, "agreement"]["value"] for target in ("helpfulness", "harmlessness")]
    assert np.mean(list(agreement.values())) == pytest.approx(np.mean(both), abs=1e-6)


def test_a_loaded_model_gives_the_same_scores_in_three_lines(trained, world, tmp_path):
    from diptych_client import Release

    release = Release.open(world.folder)
    rows = [
        one for one in pq.read_table(trained / "predictions.parquet").to_pylist() if one["target"] == "harmlessness"
    ]
    pair = next(one for one in release.pairs() if one.pair_id == rows[0]["pair_id"])
    prompt = next(one.text for one in release.prompts() if one.prompt_id == pair.prompt_id)
    frames = []
    for number, picture in enumerate(release.frames(pair.video_0)):
        frames.append(tmp_path / f"{number}.jpg")
        frames[-1].write_bytes(picture)
    [scores] = load(trained / "model").score([(prompt, frames)])
    expected = np.mean([one["score_0"] for one in rows if one["annotation_id"] == rows[0]["annotation_id"]])
    assert scores["harmlessness"] == pytest.approx(expected, abs=1e-4)
    of_videos = pq.read_table(trained / "video_scores.parquet").to_pylist()
    [stored] = [one for one in of_videos if (one["video_id"], one["name"]) == (pair.video_0, "harmlessness")]
    assert stored["value"] == pytest.approx(expected, abs=1e-4)
    assert scores["cost"] == -scores["harmlessness"]
    assert load(trained / "model").score([]) == []


@pytest.mark.long
def test_the_same_seed_gives_the_same_bits_and_another_seed_others(run, tiny, tmp_path):
    first, again, other = (
        run("reward", tiny.folder, *FEW, "--seed", seed, out=tmp_path / name)
        for seed, name in ((1, "a"), (1, "b"), (2, "c"))
    )
    assert weights(first.out) == weights(again.out) != weights(other.out)
    assert first.named("done") == again.named("done")


def test_fewer_steps_than_an_epoch_train_too(run, tiny, tmp_path):
    one, two = (run("reward", tiny.folder, *FEW, "--max-steps", n, out=tmp_path / str(n)) for n in (1, 2))
    assert weights(one.out) != weights(two.out)


@pytest.mark.parametrize("stop_at", [3, 7])  # an epoch has 7 steps: in its middle, and at its end
def test_a_run_that_was_stopped_goes_on_to_the_same_bits(run, tiny, tmp_path, monkeypatch, stop_at):
    options = ("--seeds", 2, "--epochs", 2, "--batch-size", 16, "--log-every", 1)
    whole = run("reward", tiny.folder, *options, out=tmp_path / "whole")
    assert whole.code == 0

    def emit(event, **values):
        events.print_event(event, values)
        if event == "step" and values["step"] == stop_at:
            os.kill(os.getpid(), signal.SIGTERM)

    with monkeypatch.context() as patched:
        patched.setattr(loop, "emit", emit)
        stopped = run("reward", tiny.folder, *options, out=tmp_path / "stopped")
    assert (stopped.code, stopped.named("done")) == (events.STOPPED, [])
    assert not (tmp_path / "stopped" / "model").exists()
    again = run("reward", tiny.folder, *options, "--resume", out=tmp_path / "stopped")
    assert again.code == 0
    assert weights(again.out) == weights(whole.out)
    assert again.named("done") == whole.named("done")
    steps = [one["step"] for ran in (stopped, again) for one in ran.named("step")]
    assert steps == [one["step"] for one in whole.named("step")]


class TestGoingOn:
    @pytest.fixture
    def begun(self, run, tiny, tmp_path):
        assert run("reward", tiny.folder, *FEW, "--max-steps", 2, out=tmp_path / "run").code == 0
        return tmp_path / "run"

    @pytest.mark.long
    def test_another_release_is_refused(self, run, begun, tmp_path):
        other = planted.write(tmp_path / "other", planted.World(**planted.TINY, seed=5))
        ran = run("reward", other.folder, *FEW, "--resume")
        assert (ran.code, ran.failed["code"]) == (events.BAD_INPUT, "release_changed")

    @pytest.mark.long
    def test_other_options_are_refused(self, run, begun, tiny):
        ran = run("reward", tiny.folder, *FEW, "--seed", 4, "--resume")
        assert (ran.code, ran.failed["code"]) == (events.BAD_INPUT, "options_changed")
        assert "The option seed has changed" in ran.failed["message"]

    def test_a_damaged_checkpoint_is_refused(self, run, begun, tiny):
        path = begun / "checkpoint" / "state.pt"
        path.write_bytes(path.read_bytes()[:200])
        ran = run("reward", tiny.folder, *FEW, "--resume")
        assert (ran.code, ran.failed["code"]) == (events.BAD_INPUT, "bad_checkpoint")

    @pytest.mark.long
    def test_without_the_option_it_begins_anew(self, run, begun, tiny):
        path = begun / "checkpoint" / "state.pt"
        path.write_bytes(b"")
        assert run("reward", tiny.folder, *FEW, "--max-steps", 2).code == 0


def test_the_first_loss_that_is_not_finite_ends_the_run_and_names_the_pairs(run, tiny):
    ran = run("reward", tiny.folder, *FEW, "--learning-rate", "1e30")
    assert (ran.code, ran.failed["code"]) == (events.NOT_FINITE, "non_finite_loss")
    assert not (ran.out / "model").exists()
    pairs = {json.loads(line)["pair_id"] for line in (tiny.folder / "pairs.jsonl").read_text().splitlines()}
    assert ran.failed["items"]
    assert set(ran.failed["items"]) <= pairs


def test_the_pair_whose_own_loss_is_not_finite_is_named():
    class Task:
        training = validating = torch.arange(5)

        def loss(self, head, rows):
            return (head.bias.sum() + torch.where(rows == 3, math.nan, 1.0)).mean()

        def names(self, rows):
            return [f"pair {int(row)}" for row in rows]

    class Nowhere:
        def load(self):
            return None

        def save(self, state):
            pass

    from training.learn.options import RewardOptions

    options = RewardOptions(release=None, out=None)
    with pytest.raises(events.Failed) as failed:
        loop.fit([ProductHead(2, 2, 1, 1)], Task(), options, Nowhere(), events.StopSignal())
    assert failed.value.items == ["pair 3"]


class TestTies:
    def test_the_three_chances_make_one(self):
        difference = torch.tensor([-2.0, 0.0, 0.7])
        chances = log_chances(difference, torch.tensor(0.4)).exp()
        assert torch.allclose(chances.sum(-1), torch.ones(3))
        assert chances[1, 0] == chances[1, 1]

    def test_without_ties_it_is_the_model_of_bradley_and_terry(self):
        difference = torch.tensor([-2.0, 0.0, 0.7], requires_grad=True)
        likelihood = log_chances(difference, torch.tensor(0.0))
        assert torch.allclose(likelihood[:, 1], torch.nn.functional.logsigmoid(difference))
        (likelihood * torch.tensor([1.0, 1.0, 0.0])).sum().backward()
        assert torch.isfinite(difference.grad).all()

    @pytest.mark.long
    def test_ties_are_learned_and_told_twice(self, run, tmp_path):
        tied = planted.write(tmp_path / "tied", replace(planted.World(), ties=0.8))
        ran = run("reward", tied.folder)
        assert ran.code == 0
        agreement, best = ran.figure("agreement"), ran.figure("agreement_best_threshold")
        assert ran.figure("agreement_no_ties")["n"] < agreement["n"]
        assert best["value"] >= agreement["value"]
        assert ran.figure("ceiling")["note"] == "not defined: people may call a tie"
        about = json.loads((ran.out / "model" / "model.json").read_text())
        assert about["ties"] == [1.0]


def test_answers_asked_for_because_others_disagreed_are_trained_on_and_never_scored_against(run, tmp_path):
    world = planted.write(tmp_path / "asked", planted.World(**planted.TINY))
    path = world.folder / "annotations.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        if line["annotation_id"] % 2:
            line["asked_because"] = "more_opinions"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    ran = run("reward", world.folder, *FEW, "--max-steps", 1)
    scored = {one["annotation_id"] for one in pq.read_table(ran.out / "predictions.parquet").to_pylist()}
    assert scored == {
        line["annotation_id"] for line in lines if line["part"] == "test" and line["annotation_id"] % 2 == 0
    }
    report = json.loads((ran.out / "preflight.json").read_text())
    assert report["answers"]["train"] == sum(line["part"] == "train" for line in lines)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--targets", "beauty"], "invalid choice: 'beauty'"),
        (["--policy", "ties=often"], "argument --policy: ties=often is none"),
        (["--backbone", "large"], "invalid choice: 'large'"),
    ],
)
def test_wrong_options_are_said(tiny, tmp_path, capsys, options, said):
    from training.learn import reward

    with pytest.raises(SystemExit) as ended:
        reward.main(["--release", str(tiny.folder), "--out", str(tmp_path), *options])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


class TestReleasesThatCannotBeUsed:
    def test_a_folder_that_is_none(self, run, tmp_path):
        ran = run("reward", tmp_path)
        assert (ran.code, ran.failed["code"]) == (2, "bad_release")
        assert "has no manifest.json" in ran.failed["message"]

    def test_one_without_frames(self, run, tmp_path):
        world = planted.write(tmp_path / "bare", planted.World(**planted.TINY))
        path = world.folder / "manifest.json"
        manifest = json.loads(path.read_text())
        manifest["files"] = [one for one in manifest["files"] if one["kind"] != "frames"]
        path.write_text(json.dumps(manifest))
        ran = run("reward", world.folder)
        assert (ran.code, ran.failed["code"]) == (2, "bad_release")
        assert "Make the release with the format frames" in ran.failed["message"]

    def test_prompts_that_the_text_encoder_cannot_read(self, run, tmp_path):
        world = planted.write(tmp_path / "zh", planted.World(**planted.TINY))
        path = world.folder / "prompts.jsonl"
        lines = [json.loads(line) | {"prompt_text": "一只红色的球滚过木桌"} for line in path.read_text().splitlines()]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        ran = run("reward", world.folder)
        assert (ran.code, ran.failed["code"]) == (3, "unknown_language")
