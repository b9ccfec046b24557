"""The large backbones on tiny checkpoints of random weights: load, freeze, train, stop, go on, evaluate and score."""

import json
import math
import os
import shutil
import signal
import socket
import subprocess
import sys
from functools import cache as remembered

import pyarrow.parquet as pq
import pytest

from tests.learn import planted

torch = pytest.importorskip("torch")
pytest.importorskip("peft")
from safetensors.torch import load_file, save_file  # noqa: E402

from tests.learn import checkpoints  # noqa: E402
from training.learn import events, load, reward  # noqa: E402
from training.learn.large import trainer  # noqa: E402

BACKBONES = ("qwen-vl", "video-llava")
WORLD = {"clips": 24, "train_pairs": 24, "test_pairs": 8, "train_prompts": 8, "test_prompts": 4}
#: 22 training rows, which are 6 steps an epoch.
FEW = ("--batch-size", 4, "--device-batch", 2, "--epochs", 2, "--learning-rate", 1e-3, "--log-every", 1)


@pytest.fixture(scope="module")
def small_world(tmp_path_factory):
    """Return a world of 32 pairs, whose release has videos and ties."""
    world = planted.write(tmp_path_factory.mktemp("large"), planted.World(**WORLD, ties=0.5))
    checkpoints.add_videos(world.folder)
    return world


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """Return a function that returns the folder of a backbone's checkpoint."""
    return remembered(lambda name: checkpoints.write(name, tmp_path_factory.mktemp(name)))


@pytest.fixture(params=BACKBONES)
def backbone(request, checkpoint):
    """Return the options that name a backbone and its checkpoint."""
    return ("--backbone", request.param, "--checkpoint", checkpoint(request.param))


@pytest.fixture
def stopped_at(monkeypatch, run):
    """Return a function that ends a program after this step: SIGTERM comes with the line of the step before."""

    def stopped_at(step, *arguments, out):
        def emit(event, **values):
            events.print_event(event, values)
            if event == "step" and values["step"] == step - 1:
                os.kill(os.getpid(), signal.SIGTERM)

        with monkeypatch.context() as patched:
            patched.setattr(trainer, "emit", emit)
            return run("reward", *arguments, out=out)

    return stopped_at


def weights(ran):
    return (ran.out / "model" / "model.safetensors").read_bytes()


def shown(world, video_id, folder):
    """Return a file with a video, and its prompt."""
    from diptych_client import Release

    release = Release.open(world.folder)
    video = next(one for one in release.tv_pairs() if one.video_id == video_id)
    path = folder / f"{video_id[:8]}.mp4"
    path.write_bytes(release.video(video_id))
    return next(one.text for one in release.prompts() if one.prompt_id == video.prompt_id), path


def test_a_model_is_trained_evaluated_and_loaded(run, small_world, backbone, tmp_path):
    targets = ("--targets", "helpfulness", "harmlessness")
    ran = run("reward", small_world.folder, *backbone, *FEW, *targets, "--max-steps", 1)
    assert ran.code == 0
    assert ran.figure("agreement", "harmlessness")["n"] == 8
    one = pq.read_table(ran.out / "predictions.parquet").to_pylist()[-1]
    pair = next(
        line
        for line in map(json.loads, (small_world.folder / "pairs.jsonl").read_text().splitlines())
        if line["pair_id"] == one["pair_id"]
    )
    item = shown(small_world, pair["video_1"], tmp_path)
    model = load(ran.out / "model")
    alone, *_others = model.score([item])
    assert one["target"] == "harmlessness"
    assert alone["harmlessness"] == pytest.approx(one["score_1"], abs=1e-5)
    assert alone["cost"] == -alone["harmlessness"]
    longer, other = (item[0] * 2, item[1]), (item[0], shown(small_world, pair["video_0"], tmp_path)[1])
    together = model.score([item, longer, other])
    assert together[0]["helpfulness"] == pytest.approx(alone["helpfulness"], abs=1e-5)  # what it stands beside
    assert len({round(scores["helpfulness"], 6) for scores in together}) == 3  # the prompt counts, and the video


@pytest.mark.long
class TestGoingOn:
    @pytest.mark.parametrize("stop_at", [4, 6])  # in the middle of an epoch, and at its end
    def test_a_run_that_was_stopped_goes_on_to_the_same_bits(
        self, run, stopped_at, small_world, backbone, tmp_path, stop_at
    ):
        options = (small_world.folder, *backbone, *FEW, "--seeds", 1)
        whole = run("reward", *options, out=tmp_path / "whole")
        stopped = stopped_at(stop_at, *options, out=tmp_path / "stopped")
        assert (stopped.code, stopped.named("done")) == (events.STOPPED, [])
        assert not (stopped.out / "model").exists()
        again = run("reward", *options, "--resume", out=tmp_path / "stopped")
        assert (whole.code, again.code) == (0, 0)
        assert weights(again) == weights(whole)
        assert again.named("done") == whole.named("done")
        lines = [(one["step"], one["loss"]) for ran in (stopped, again) for one in ran.named("step")]
        assert lines == [(one["step"], one["loss"]) for one in whole.named("step")]

    def test_two_seeds_of_which_the_second_was_stopped(self, run, stopped_at, small_world, checkpoint, tmp_path):
        named = ("--backbone", "video-llava", "--checkpoint", checkpoint("video-llava"))
        options = (small_world.folder, *named, *FEW, "--seeds", 2, "--epochs", 1)
        whole = run("reward", *options, out=tmp_path / "whole")
        assert stopped_at(8, *options, out=tmp_path / "stopped").code == events.STOPPED
        again = run("reward", *options, "--resume", out=tmp_path / "stopped")
        assert weights(again) == weights(whole)
        assert again.named("done") == whole.named("done")
        assert again.named("step")[0]["step"] == 9
        assert {one["seed"] for one in pq.read_table(again.out / "predictions.parquet").to_pylist()} == {1, 2}

    def test_a_checkpoint_that_was_not_written_to_its_end_is_passed_over(
        self, run, stopped_at, small_world, checkpoint, tmp_path
    ):
        named = ("--backbone", "qwen-vl", "--checkpoint", checkpoint("qwen-vl"))
        options = (small_world.folder, *named, *FEW, "--epochs", 1, "--save-every", 2)
        whole = run("reward", *options, out=tmp_path / "whole")
        stopped = stopped_at(4, *options, out=tmp_path / "stopped")
        newest = stopped.out / "checkpoint" / "seed-0" / "checkpoint-4"
        (newest / "trainer_state.json").unlink()
        (newest / "optimizer.pt").write_bytes(b"half")
        again = run("reward", *options, "--resume", out=tmp_path / "stopped")
        assert again.named("step")[0]["step"] == 3
        assert weights(again) == weights(whole)

    def test_weights_under_other_names_are_refused(self, run, stopped_at, small_world, checkpoint, tmp_path):
        named = ("--backbone", "video-llava", "--checkpoint", checkpoint("video-llava"))
        options = (small_world.folder, *named, *FEW)
        stopped = stopped_at(2, *options, out=tmp_path / "stopped")
        path = stopped.out / "checkpoint" / "seed-0" / "checkpoint-2" / trainer.TRAINED
        have = load_file(path)
        save_file({name.replace("language_model", "text_model"): one for name, one in have.items()}, path)
        ran = run("reward", *options, "--resume", out=tmp_path / "stopped")
        assert (ran.code, ran.failed["code"]) == (events.BAD_INPUT, "bad_checkpoint")
        assert "text_model" in ran.failed["message"] or "language_model" in ran.failed["message"]


@pytest.mark.long
class TestNotFinite:
    def test_a_loss_that_is_not_finite_ends_the_run(self, run, small_world, backbone):
        ran = run("reward", small_world.folder, *backbone, *FEW, "--learning-rate", 1e30, "--warm-up", 0)
        assert (ran.code, ran.failed["code"]) == (events.NOT_FINITE, "non_finite_loss")
        assert not (ran.out / "model").exists()

    def test_the_pair_whose_own_loss_is_not_finite_is_named(self, run, small_world, backbone, monkeypatch):
        class Planted(reward.Preferences):
            def likelihood(self, scores, eta, rows):
                wrong = (rows == self.training[5])[:, None]
                return torch.where(wrong, math.nan, super().likelihood(scores, eta, rows))

        tasks = []
        monkeypatch.setattr(reward, "Preferences", lambda *given: tasks.append(Planted(*given)) or tasks[0])
        ran = run("reward", small_world.folder, *backbone, *FEW)
        assert (ran.code, ran.failed["code"]) == (events.NOT_FINITE, "non_finite_loss")
        assert ran.failed["items"] == tasks[0].names(tasks[0].training[5:6])


@pytest.mark.long
class TestLearning:
    def test_it_learns_the_pairs_by_heart(self, run, tmp_path, backbone):
        """Without the frames both scores of a pair would be equal, and the loss would stay at ln 2."""
        world = planted.write(tmp_path / "clear", planted.World(**WORLD, slope=20))
        checkpoints.add_videos(world.folder)
        options = ("--batch-size", 4, "--device-batch", 4, "--epochs", 20, "--learning-rate", 1e-2, "--log-every", 6)
        ran = run("reward", world.folder, *backbone, *options)
        losses = [one["loss"] for one in ran.named("step")]
        assert sum(losses[-3:]) / 3 < 0.75 * math.log(2)

    def test_batches_are_the_same_in_parts(self, run, small_world, checkpoint, tmp_path):
        named = ("--backbone", "qwen-vl", "--checkpoint", checkpoint("qwen-vl"), "--batch-size", 4, "--log-every", 1)
        several, one = (
            run(
                "reward", small_world.folder, *named, "--max-steps", 1, "--device-batch", size, out=tmp_path / str(size)
            )
            for size in (4, 1)
        )
        assert several.named("step")[0]["loss"] == pytest.approx(one.named("step")[0]["loss"], rel=1e-5)

    def test_only_what_is_meant_is_trained(self, run, small_world, checkpoint, tmp_path):
        names = {}
        for backbone in BACKBONES:
            named = ("--backbone", backbone, "--checkpoint", checkpoint(backbone))
            ran = run("reward", small_world.folder, *named, *FEW, "--max-steps", 1, out=tmp_path / backbone)
            names[backbone] = set(load_file(ran.out / "model" / "model.safetensors"))
        assert all("lora_" in one or "trainable_tokens" in one for one in names["qwen-vl"] if ".backbone." in one)
        assert any("trainable_tokens" in one for one in names["qwen-vl"])
        assert any("lora_B" in one and ".down_proj." in one for one in names["qwen-vl"])
        assert not any("tower" in one for one in names["video-llava"])
        assert any("multi_modal_projector" in one for one in names["video-llava"])
        assert any("language_model.layers.1.mlp" in one for one in names["video-llava"])
        heads = {f"seed_0.{name}" for name in ("weight", "bias", "eta")}
        assert heads < names["qwen-vl"]
        assert heads < names["video-llava"]

    def test_what_is_frozen_stays_and_what_is_trained_changes(self, checkpoint):
        from training.learn.large import networks
        from training.learn.options import BackboneOptions

        for backbone in BACKBONES:
            options = BackboneOptions(backbone=backbone, backbone_path=str(checkpoint(backbone)))
            network = networks.build(options, ["helpfulness"], 1).network
            published = load_file(checkpoint(backbone) / "model.safetensors")
            first = next(one for name, one in published.items() if "layers.0.self_attn.q_proj.weight" in name)
            assert any(one.shape == first.shape and torch.equal(one, first) for one in network.state_dict().values())


@pytest.mark.long
def test_tags_are_learned_and_evaluated_again(run, small_world, backbone, tmp_path):
    ran = run("moderation", small_world.folder, *backbone, *FEW, "--epochs", 1)
    assert ran.code == 0
    again = run("evaluate", small_world.folder, "--model", ran.out / "model", out=tmp_path / "again")
    assert again.named("done") == ran.named("done")
    tags = {one["tag"] for one in ran.named("done")[0]["metrics"] if one["figure"] == "average_precision"}
    assert len(tags) == 13
    [chances] = load(ran.out / "model").score([shown(small_world, _some_video(small_world), tmp_path)])
    assert len(chances) == 13
    assert all(0 < one < 1 for one in chances.values())


@pytest.mark.long
def test_ties_are_an_outcome_of_their_own_and_the_model_is_scored_from_files(run, small_world, checkpoint, tmp_path):
    targets = ("--targets", "helpfulness", "instruction_following", "harmlessness")
    named = ("--backbone", "qwen-vl", "--checkpoint", checkpoint("qwen-vl"))
    ran = run("reward", small_world.folder, *named, *FEW, *targets)
    about = json.loads((ran.out / "model" / "model.json").read_text())
    assert about["ties"] == [1.0, 1.0, 1.0]
    assert (load_file(ran.out / "model" / "model.safetensors")["seed_0.eta"] != 0).all()
    prompt, path = shown(small_world, _some_video(small_world), tmp_path)
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(path.read_bytes()[:500])
    items = [{"id": name, "prompt": prompt, "video": str(at)} for name, at in (("good", path), ("broken", broken))]
    (tmp_path / "items.jsonl").write_text("".join(json.dumps(one) + "\n" for one in items))
    from training.learn import score

    arguments = ["--model", ran.out / "model", "--items", tmp_path / "items.jsonl", "--out", tmp_path / "scores.jsonl"]
    assert score.main([str(one) for one in arguments]) == 0
    good, bad = (json.loads(line) for line in (tmp_path / "scores.jsonl").read_text().splitlines())
    assert set(good["scores"]) == {"helpfulness", "instruction_following", "harmlessness", "cost"}
    assert "cannot be decoded" in bad["error"]


@pytest.mark.long
def test_two_processes_train_one_model(small_world, checkpoint, cache, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    launch = ["-m", "torch.distributed.run", "--nproc-per-node", 2, "--master-addr", "127.0.0.1", "--master-port", port]
    options = ["--release", small_world.folder, "--out", tmp_path / "run", "--cache", cache, *FEW, "--epochs", 1]
    options += ["--backbone", "qwen-vl", "--checkpoint", checkpoint("qwen-vl"), "--device-batch", 1]
    command = [sys.executable, *launch, "-m", "training.learn.reward", *options]
    ran = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"}
    )
    assert ran.returncode == 0, ran.stderr
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [one["step"] for one in lines if one["event"] == "step"] == [1, 2, 3, 4, 5, 6]
    assert [one["event"] for one in lines].count("done") == 1
    assert load(tmp_path / "run" / "model").targets == ("helpfulness",)


@pytest.mark.long
class TestRefused:
    @pytest.fixture
    def named(self, checkpoint):
        return ("--backbone", "qwen-vl", "--checkpoint", checkpoint("qwen-vl"))

    def test_no_checkpoint_is_named(self, run, small_world):
        ran = run("reward", small_world.folder, "--backbone", "qwen-vl")
        assert (ran.code, ran.failed["code"]) == (2, "bad_option")
        assert "--backbone-path" in ran.failed["message"]

    def test_a_checkpoint_of_another_network(self, run, small_world, checkpoint):
        ran = run("reward", small_world.folder, "--backbone", "qwen-vl", "--checkpoint", checkpoint("video-llava"))
        assert (ran.code, ran.failed["code"]) == (2, "bad_option")
        assert "of the type video_llava, not qwen3_vl" in ran.failed["message"]

    def test_a_checkpoint_that_lacks_weights(self, run, small_world, checkpoint, tmp_path):
        folder = shutil.copytree(checkpoint("qwen-vl"), tmp_path / "less")
        have = load_file(folder / "model.safetensors")
        lost = next(name for name in have if "layers.1.mlp.up_proj" in name)
        save_file(
            {name: one for name, one in have.items() if name != lost}, folder / "model.safetensors", {"format": "pt"}
        )
        ran = run("reward", small_world.folder, "--backbone", "qwen-vl", "--checkpoint", folder)
        assert (ran.code, ran.failed["code"]) == (2, "bad_option")
        assert "is not whole. It lacks" in ran.failed["message"]

    def test_a_model_whose_checkpoint_has_become_another(self, run, small_world, tmp_path):
        folder = checkpoints.write("qwen-vl", tmp_path / "mine")
        ran = run("reward", small_world.folder, "--backbone", "qwen-vl", "--checkpoint", folder, *FEW, "--max-steps", 1)
        checkpoints.write("qwen-vl", folder, seed=4)
        again = run("evaluate", small_world.folder, "--model", ran.out / "model", out=tmp_path / "again")
        assert (again.code, again.failed["code"]) == (2, "bad_model")

    def test_batches_that_cannot_be_made(self, run, small_world, named):
        ran = run("reward", small_world.folder, *named, "--batch-size", 5, "--device-batch", 2)
        assert (ran.code, ran.failed["code"]) == (2, "bad_option")
        assert "Use a multiple of 2" in ran.failed["message"]

    def test_a_release_without_videos(self, run, tiny, named):
        ran = run("reward", tiny.folder, *named)
        assert (ran.code, ran.failed["code"]) == (2, "bad_release")
        assert "Make the release with the format videos" in ran.failed["message"]

    def test_videos_that_cannot_be_decoded_are_counted_and_left_out(self, run, named, tmp_path):
        world = planted.write(tmp_path / "broken", planted.World(**WORLD))
        checkpoints.add_videos(world.folder, broken=1)
        ran = run("reward", world.folder, *named, *FEW, "--max-steps", 1)
        assert ran.code == 0
        assert ran.named("preflight")[0]["report"]["frames_unreadable"] == 1


def _some_video(world):
    return json.loads((world.folder / "pairs.jsonl").read_text().splitlines()[0])["video_0"]
