"""What is counted before a run, and what is refused."""

import io
import json
import tarfile
from pathlib import Path

import pytest

from tests.learn import planted
from training.learn import preflight
from training.learn.events import REFUSED, Failed
from training.learn.options import POLICIES

CASE = [json.loads(line) for line in (Path(__file__).parent / "cases" / "training_rows.jsonl").read_text().splitlines()]


def report(*starts):
    """Return the report on the rows of the case whose kind starts with these words; without words on all."""
    rows = [row for row in CASE if not starts or row["kind"].startswith(starts)]
    return preflight.check(preflight.of_lines(rows), ("better",)).report


def counts(*starts):
    return {name: one["count"] for name, one in report(*starts)["findings"].items() if one["count"]}


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("fine", {}),
        ("same frames", {"same_frames": 1}),
        ("two people contradict", {"contradictions": 1}),
        ("the same pair the other way round", {"swapped": 1}),
        ("tie", {"ties": 1}),
        ("the better one is always video_0", {"always_video_0": 20}),
    ],
)
def test_each_kind_that_teaches_nothing_is_counted(kind, found):
    assert counts(kind) == found
    assert report(kind)["leaks"] == {}


@pytest.mark.parametrize(
    ("kind", "leaks"),
    [
        (
            "one cluster in train and test",
            {"cluster_in_both_parts": 1, "video_in_both_parts": 2, "frames_in_both_parts": 2},
        ),
        ("one video in train and test", {"video_in_both_parts": 2, "frames_in_both_parts": 2}),
    ],
)
def test_each_leak_is_counted_and_refused(kind, leaks):
    found = report(kind)
    assert {name: leak["count"] for name, leak in found["leaks"].items()} == leaks
    with pytest.raises(Failed) as failed:
        preflight.refuse(found)
    assert (failed.value.code, failed.value.exit_code) == ("leak", REFUSED)
    assert failed.value.items


def test_all_kinds_are_counted_side_by_side():
    found = {name: one["count"] for name, one in report()["findings"].items()}
    assert {name: found[name] for name in ("same_frames", "contradictions", "swapped", "ties")} == dict.fromkeys(
        ("same_frames", "contradictions", "swapped", "ties"), 1
    )
    assert set(report()["leaks"]) == {"cluster_in_both_parts", "video_in_both_parts", "frames_in_both_parts"}


def test_a_clip_under_many_prompts_of_one_part_is_no_leak():
    row = CASE[0]
    assert report("fine")["leaks"] == {}
    rows = [row, row | {"prompt": "Another", "cluster": "c9"}, row | {"split": "excluded", "cluster": "c8"}]
    assert preflight.check(preflight.of_lines(rows), ("better",)).report["leaks"] == {}


def test_one_sided_answers_are_refused_if_the_policy_says_so():
    rows = preflight.of_lines(row for row in CASE if row["kind"].startswith("the better"))
    policy = {name: choices[0] for name, choices in POLICIES.items()}
    preflight.refuse(preflight.check(rows, ("better",), policy).report)
    with pytest.raises(Failed, match="Every training answer chose video_0"):
        preflight.refuse(preflight.check(rows, ("better",), policy | {"always_video_0": "refuse"}).report)


def test_a_planted_release_has_no_leak(world, capsys):
    assert preflight.main(["--release", str(world.folder), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["leaks"] == {}
    assert found["pairs"] == {"train": 600, "test": 200, "eval": 0, "excluded": 0}
    assert found["findings"]["same_frames"]["count"] == 0
    assert preflight.main(["--release", str(world.folder)]) == 0
    assert "same_frames" in capsys.readouterr().out


def test_a_video_of_both_parts_is_found_by_its_content_and_ends_the_program(run, tmp_path, capsys):
    world = planted.write(tmp_path / "leak", planted.World(**planted.TINY))
    path = world.folder / "tv_pairs.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    one = next(line for line in lines if line["part"] == "train")
    next(line for line in lines if line["part"] == "test")["sha256"] = one["sha256"]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    ran = run("reward", world.folder)
    assert (ran.code, ran.failed["code"]) == (REFUSED, "leak")
    assert "A video is in train and in test: 1 times" in ran.failed["message"]
    assert json.loads((ran.out / "preflight.json").read_text())["leaks"]["video_in_both_parts"]["count"] == 1
    assert preflight.main(["--release", str(world.folder)]) == REFUSED
    assert "refused" in capsys.readouterr().out


def with_other_frames(folder, change):
    """Write the archive of training frames again. `change` returns the bytes of each frame, or None to leave it out."""
    path = folder / "frames" / "frames-train-00000.tar"
    with tarfile.open(path) as archive:
        members = [(member.name, archive.extractfile(member).read()) for member in archive]
    with tarfile.open(path, "w") as archive:
        for name, content in members:
            if (changed := change(name, content)) is not None:
                header = tarfile.TarInfo(name)
                header.size = len(changed)
                archive.addfile(header, io.BytesIO(changed))


@pytest.mark.long
def test_frames_that_are_missing_or_cannot_be_read_fail_their_rows_and_are_counted(run, tmp_path):
    world = planted.write(tmp_path / "broken", planted.World(**planted.TINY))
    lines = [json.loads(line) for line in (world.folder / "tv_pairs.jsonl").read_text().splitlines()]
    missing, broken = [line["video_id"] for line in lines if line["part"] == "train"][:2]

    def change(name, content):
        return None if missing in name else content[: len(content) // 3] if broken in name else content

    with_other_frames(world.folder, change)
    ran = run("reward", world.folder, "--max-steps", 1)
    assert ran.code == 0
    [found] = [one["report"] for one in ran.named("preflight")]
    assert (found["frames_missing"], found["frames_unreadable"]) == (1, 1)


@pytest.mark.long
def test_the_policy_decides_about_rows_that_teach_nothing(cache, tmp_path):
    from training.learn import inputs, reward
    from training.learn.events import StopSignal
    from training.learn.options import RewardOptions, parse

    world = planted.write(tmp_path / "same", planted.World(**planted.TINY))
    pairs = [json.loads(line) for line in (world.folder / "pairs.jsonl").read_text().splitlines()]
    pair = next(one for one in pairs if one["part"] == "train")
    with tarfile.open(world.folder / "frames" / "frames-train-00000.tar") as archive:
        first = {m.name.split(".")[-2]: archive.extractfile(m).read() for m in archive if pair["video_0"] in m.name}
    with_other_frames(
        world.folder, lambda name, content: first[name.split(".")[-2]] if pair["video_1"] in name else content
    )
    used = {}
    for policy in ("drop", "keep"):
        arguments = [
            "--release",
            str(world.folder),
            "--out",
            str(tmp_path / policy),
            "--policy",
            f"same_frames={policy}",
        ]
        options = parse(RewardOptions, [*arguments, "--cache", str(cache)], "", "reward")
        task = reward.Preferences(inputs.prepare(options, options.targets, StopSignal()), options)
        used[policy] = set(task.names(range(len(task.rows))))
    assert used["keep"] - used["drop"] == {pair["pair_id"]}
