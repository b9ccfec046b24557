"""The program that scores new videos: frames and videos, and items that cannot be read."""

import json
import subprocess

import pytest
from PIL import Image

from diptych.embedded import binaries
from tests.client.running import Diptych
from training.learn import load, score

pytest.importorskip("torch")


@pytest.fixture(scope="module")
def model(tiny, tmp_path_factory, cache):
    from training.learn import reward

    out = tmp_path_factory.mktemp("to-score")
    assert reward.main(["--release", str(tiny.folder), "--out", str(out), "--cache", str(cache), "--epochs", "2"]) == 0
    return out / "model"


@pytest.fixture
def frames(tmp_path):
    paths = [tmp_path / f"{number}.png" for number in range(8)]
    for number, path in enumerate(paths):
        Image.new("RGB", (160, 96), (20 * number, 90, 200 - 20 * number)).save(path)
    return [str(path) for path in paths]


@pytest.fixture
def scored(model, tmp_path, capsys):
    def scored(*items):
        path, out = tmp_path / "items.jsonl", tmp_path / "scores.jsonl"
        path.write_text("".join(json.dumps(item) + "\n" for item in items))
        code = score.main(["--model", str(model), "--items", str(path), "--out", str(out), "--batch-size", "2"])
        said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        return code, said[-1], [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else None

    return scored


def test_each_item_has_scores_or_an_error(scored, frames, tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    good = {"prompt": "A red ball moves to the left", "frames": frames}
    code, last, found = scored(
        {"id": 1} | good,
        {"id": "two"} | good | {"frames": [str(tmp_path / "broken.jpg")]},
        {"id": 3} | good | {"prompt": " "},
        {"id": 4} | good | {"prompt": "一只红色的球"},
        {"id": 5, "prompt": "A ball"},
        {"id": 6} | good | {"prompt": "A blue cube moves to the right"},
    )
    assert code == 0
    assert (last["event"], last["scored"], last["failed"]) == ("done", 2, 4)
    assert [one["id"] for one in found] == [1, "two", 3, 4, 5, 6]
    assert ["error" in one for one in found] == [False, True, True, True, True, False]
    assert found[0]["scores"]["helpfulness"] != found[5]["scores"]["helpfulness"]


@pytest.mark.long
def test_a_video_is_cut_as_the_platform_cuts_it(scored, tmp_path):
    video = tmp_path / "clip.mp4"
    source = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=12:duration=2"]
    subprocess.run([str(binaries.ffmpeg()), "-v", "error", *source, "-pix_fmt", "yuv420p", str(video)], check=True)
    pictures = score.cut(str(video))
    assert len(pictures) == 8
    assert {one.size for one in pictures} == {(284, 160)}
    _code, _last, [found] = scored({"id": 1, "prompt": "A test picture", "video": str(video)})
    assert set(found["scores"]) == {"helpfulness"}


@pytest.mark.long
def test_the_command_of_the_client_scores_on_this_machine(model, tmp_path):
    video = tmp_path / "clip.mp4"
    source = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=12:duration=2"]
    subprocess.run([str(binaries.ffmpeg()), "-v", "error", *source, "-pix_fmt", "yuv420p", str(video)], check=True)
    (tmp_path / "videos.csv").write_text("path,prompt\nclip.mp4,A test picture\nnone.mp4,A test picture\n")
    diptych = Diptych(tmp_path)
    found = json.loads(diptych.done("score", "videos.csv", "--local", str(model), "--json"))
    assert [row["state"] for row in found] == ["scored", "failed"]
    [expected] = load(model).score([("A test picture", score.cut(str(video)))])
    assert found[0]["scores"]["helpfulness"] == pytest.approx(expected["helpfulness"], abs=1e-6)
    (tmp_path / "ids.jsonl").write_text('{"video": "abc"}\n')
    assert "names a video of the server" in diptych.refused("score", "ids.jsonl", "--local", str(model))[1]
    assert "The model cannot score" in diptych.refused("score", "videos.csv", "--local", str(tmp_path))[1]


def test_the_platform_chooses_the_same_pictures():
    from media.transcode import chosen_indices

    for count in (1, 7, 8, 9, 24, 101):
        assert score.chosen(count) == set(chosen_indices(count))


def test_a_video_that_is_none_is_an_error_of_its_item(scored, tmp_path):
    (tmp_path / "no.mp4").write_bytes(b"no video")
    _code, _last, [found] = scored({"id": 1, "prompt": "A ball", "video": str(tmp_path / "no.mp4")})
    assert "cannot be decoded" in found["error"]


def test_lines_that_are_no_items_end_the_program_and_leave_no_file(scored):
    code, last, found = scored(["no item"])
    assert (code, last["code"], last["message"]) == (2, "bad_items", "Line 1 is no JSON object with an id.")
    assert found is None


def test_a_folder_that_is_no_model_is_refused(tmp_path, capsys):
    items = tmp_path / "items.jsonl"
    items.write_text("")
    assert score.main(["--model", str(tmp_path), "--items", str(items), "--out", str(tmp_path / "out")]) == 2
    assert json.loads(capsys.readouterr().out)["code"] == "bad_model"
