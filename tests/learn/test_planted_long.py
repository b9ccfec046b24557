"""What `small` reaches on planted data of full size, and what it reaches when something is taken away.

Figures are printed, for docs/benchmarks/training.md.
"""

import json
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.learn import planted

pytestmark = pytest.mark.long

FULL = planted.World(
    sizes=(4, 3, 4),
    clips=640,
    train_pairs=8000,
    test_pairs=2400,
    train_prompts=1600,
    test_prompts=500,
    overlap=0.1,
    frame=(160, 96),
)
#: The same test, and so little training material that only the test is worth embedding.
ONLY_TEST = replace(FULL, train_pairs=4, train_prompts=2, seed=2)
MOTION = 2


def share(ran, world):
    """Return how much of what can be reached above chance is reached."""
    return (ran.figure("agreement")["value"] - 0.5) / (world.ceiling - 0.5)


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    return planted.write(tmp_path_factory.mktemp("full"), replace(FULL))


@pytest.fixture
def trained(run, full, tmp_path):
    return run("reward", full.folder, "--seeds", 3, out=tmp_path / "trained")


def test_of_what_can_be_reached_most_is_reached_on_unseen_prompts(trained, full):
    answers = [json.loads(line) for line in (full.folder / "annotations.jsonl").read_text().splitlines()]
    assert len(answers) >= 12_000
    assert full.ceiling >= 0.85
    print(f"agreement {trained.figure('agreement')}, ceiling {full.ceiling:.3f}, share {share(trained, full):.3f}")
    print(f"calibration error {trained.figure('calibration_error')}")
    assert share(trained, full) >= 0.8


def motion_agreement(run, trained, tmp_path, order, *, opposite=False):
    """Return the agreement on test pairs that only the motion decides, in clips with another order of their frames."""
    world = planted.write(tmp_path / f"order-{'-'.join(map(str, order))}", replace(ONLY_TEST, order=order))
    ran = run(
        "evaluate", world.folder, "--model", trained.out / "model", out=tmp_path / f"evaluated-{order[0]}{order[1]}"
    )
    right = []
    for one in pq.read_table(ran.out / "predictions.parquet").to_pylist():
        asked, *shown = world.facts[one["pair_id"]]
        matches = [[a == b for a, b in zip(asked, clip, strict=True)] for clip in shown]
        only_motion = matches[0][:MOTION] == matches[1][:MOTION] and matches[0][MOTION] != matches[1][MOTION]
        motions = {clip[MOTION] for clip in shown}
        if only_motion and (not opposite or motions in ({0, 1}, {2, 3})):
            better = 1 if matches[1][MOTION] else 0
            right.append((one["score_1"] > one["score_0"]) == (better == 1))
    print(f"order {order}: motion {np.mean(right):.3f} on {len(right)} scores")
    return float(np.mean(right)), len(right)


def test_motion_is_read_from_the_order_of_the_frames(run, trained, tmp_path):
    kept, _n = motion_agreement(run, trained, tmp_path, tuple(range(8)))
    shuffled, n = motion_agreement(run, trained, tmp_path, (3, 6, 1, 4, 7, 0, 5, 2))
    reversed_, _n = motion_agreement(run, trained, tmp_path, tuple(range(8))[::-1], opposite=True)
    assert kept > 0.75
    assert abs(shuffled - 0.5) < 0.12, n
    assert reversed_ < 0.4


def test_without_the_prompt_it_is_at_chance(run, full, tmp_path):
    world = planted.write(tmp_path / "blank", replace(FULL))
    path = world.folder / "prompts.jsonl"
    lines = [json.loads(line) | {"prompt_text": "A video"} for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    ran = run("reward", world.folder)
    print(f"prompt blanked: {ran.figure('agreement')}")
    assert abs(ran.figure("agreement")["value"] - 0.5) < 0.06


def test_of_shuffled_labels_it_learns_nothing(run, tmp_path):
    ran = run("reward", planted.write(tmp_path / "tossed", replace(FULL, shuffled=True)).folder)
    print(f"labels shuffled: {ran.figure('agreement')}")
    assert abs(ran.figure("agreement")["value"] - 0.5) < 0.04


def test_more_answers_make_it_better(run, full, trained, tmp_path):
    """The test answers are those of each release. The mean of three seeds rises from the first size to the last."""
    reached = {}
    for pairs in (250, 1000, 4000):
        world = planted.write(tmp_path / f"ladder-{pairs}", replace(FULL, train_pairs=pairs, train_prompts=pairs // 5))
        reached[pairs] = share(run("reward", world.folder, "--seeds", 3, out=tmp_path / f"run-{pairs}"), world)
    reached[8000] = share(trained, full)
    print(f"ladder: {reached}")
    assert reached[250] < reached[1000] < reached[8000]


def test_ties_tell_more_than_nothing(run, tmp_path):
    world = planted.write(tmp_path / "tied", replace(FULL, ties=1.0, train_pairs=1500, train_prompts=300))
    figures = {}
    for policy in ("model", "half", "drop"):
        ran = run("reward", world.folder, "--seeds", 3, "--policy", f"ties={policy}", out=tmp_path / policy)
        figures[policy] = ran.figure("log_likelihood")["value"]
    print(f"ties: log-likelihood of held-out choices {figures}")
    assert figures["model"] > figures["drop"]


def test_tags_are_found_well_above_their_prevalence(run, full, tmp_path):
    ran = run("moderation", full.folder, "--seeds", 3)
    for tag in ("S8", "S4"):
        one = ran.figure("average_precision", "moderation", tag)
        print(f"{tag}: {one}")
        assert one["low"] > one["baseline"] + 0.1
