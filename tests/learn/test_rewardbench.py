"""A reward model beside a CSV in the form of VideoGen-RewardBench, and what in such a file is refused."""

import csv
import json
import subprocess

import pytest

from diptych.embedded import binaries
from tests.learn.test_score import model  # noqa: F401  # a fixture

pytest.importorskip("torch")
PROMPTS = [f"A {colour} ball moves to the left, take {n}" for n in range(30) for colour in ("red", "blue")]


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Two different clips."""
    folder = tmp_path_factory.mktemp("clips")
    for name, source in (("a.mp4", "testsrc2"), ("b.mp4", "mandelbrot")):
        made = ["-f", "lavfi", "-i", f"{source}=size=96x64:rate=8", "-t", "1", "-pix_fmt", "yuv420p"]
        subprocess.run([str(binaries.ffmpeg()), "-v", "error", *made, str(folder / name)], check=True)
    return folder


@pytest.fixture
def ran(model, tmp_path, capsys, clips):  # noqa: F811
    from training.learn import rewardbench

    def ran(rows):
        path, out = tmp_path / "bench.csv", tmp_path / "bench.json"
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)
        options = ["--model", str(model), "--csv", str(path), "--videos", str(clips), "--out", str(out)]
        code = rewardbench.main(options)
        said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        return code, said[-1], json.loads(out.read_text()) if out.exists() else None

    return ran


def scores_of(model, clips):  # noqa: F811
    from training.learn import load, score

    cut = [score.cut(str(clips / name)) for name in ("a.mp4", "b.mp4")]
    found = load(model).score([(prompt, frames) for prompt in PROMPTS for frames in cut])
    return [(found[2 * at]["helpfulness"], found[2 * at + 1]["helpfulness"]) for at in range(len(PROMPTS))]


@pytest.mark.long
def test_agreement_is_that_of_the_model_with_the_file(ran, model, clips):  # noqa: F811
    said = ["A" if one > other else "B" for one, other in scores_of(model, clips)]
    wrong = {"A": "B", "B": "A"}
    rows = [
        {"path_A": "a.mp4", "path_B": "b.mp4", "prompt": prompt, "VQ": "same", "Overall": wrong[one] if at < 6 else one}
        for at, (prompt, one) in enumerate(zip(PROMPTS, said, strict=True))
    ]
    rows.append(rows[0] | {"path_B": "gone.mp4"})
    code, last, found = ran(rows)
    assert (code, last["event"]) == (0, "done")
    by_figure = {one["figure"]: one for one in found}
    assert by_figure["agreement_no_ties"]["value"] == pytest.approx(54 / 60)
    assert (by_figure["agreement_no_ties"]["n"], by_figure["agreement_no_ties"]["part"]) == (60, "Overall")
    assert by_figure["agreement_no_ties"]["low"] < 0.9 < by_figure["agreement_no_ties"]["high"]
    assert by_figure["videos_not_read"]["value"] == 1
    assert {one["target"] for one in found} == {"helpfulness", "all"}  # the model has no head for VQ


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"path_A": "a.mp4", "prompt": "x", "Overall": "A"}], "needs the columns path_A, path_B, prompt"),
        ([{"path_A": "a.mp4", "path_B": "b.mp4", "prompt": "x", "Overall": "left"}], "It must be A, B or same"),
        ([{"path_A": "a.mp4", "path_B": "b.mp4", "prompt": "x", "VQ": "A"}], "has no column for any of them"),
    ],
)
def test_a_file_of_another_form_is_refused(ran, rows, said):
    code, last, found = ran(rows)
    assert code != 0
    assert (last["event"], said in last["message"], found) == ("failed", True, None)
