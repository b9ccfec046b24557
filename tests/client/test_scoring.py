"""`diptych models` and `diptych score`, against a real server with a real worker, and on this machine."""

import csv
import hashlib
import json
import threading

import pytest

from catalog.models import Label
from diptych_client import scoring
from diptych_client.commands.exit_codes import Exit
from diptych_client.errors import ClientError
from media.models import Asset
from tests.releases import material
from tests.training.registering import clusters, decided, owner, reward_rows
from tests.training.training import released, token_of, worker
from training import scoring as on_the_server

pytestmark = pytest.mark.django_db(transaction=True)
GOOD = reward_rows(0.9, clusters())


@pytest.fixture
def version(study):
    return decided(released(study), GOOD)


def label(version, video, **values):
    about = {"study": version.study, "labeller": on_the_server.labeller(version), "labeller_version": "1"}
    Label.objects.create(video=video, **about, **values)


def videos_of(study):
    [pair] = material.pairs(study, 1)
    return pair, (pair.video_0, pair.video_1)


def written(folder, rows):
    path = folder / "videos.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


class TestReading:
    @pytest.mark.parametrize(
        ("name", "content", "said"),
        [
            ("a.jsonl", "[1]\n", "Line 1 of .* is no JSON object"),
            ("a.jsonl", '{"video": "a"}\n{"prompt": "x"}\n', "Line 2 of .* names no video"),
            ("a.jsonl", '{"video": 7}\n', "Line 1 of .*must be text"),
            ("a.jsonl", "\n\n", "names no videos"),
            ("a.csv", "path,prompt\nclip.mp4,\n", "Line 2 of .* names no video"),
            ("a.csv", 'path,prompt\n"clip.mp4,x\n', "cannot be read as CSV"),
        ],
    )
    def test_a_wrong_line_is_named(self, tmp_path, name, content, said):
        path = tmp_path / name
        path.write_text(content)
        with pytest.raises(ClientError, match=said):
            scoring.read(path)

    def test_csv_and_json_lines_say_the_same(self, tmp_path):
        lines, table = tmp_path / "a.jsonl", tmp_path / "a.csv"
        lines.write_text('{"video": "abc"}\n\n{"path": "clip.mp4", "prompt": "A ball, red"}\n')
        table.write_text('video,path,prompt\nabc,,\n,clip.mp4,"A ball, red"\n', "utf-8-sig")
        first, second = ([(one.video, one.path, one.prompt) for one in scoring.read(path)] for path in (lines, table))
        assert first == second == [("abc", None, ""), ("", tmp_path / "clip.mp4", "A ball, red")]


def test_models_are_listed_and_scores_are_read(signed_in, study, version, tmp_path):
    pair, (one, other) = videos_of(study)
    label(version, one, question="cost", value=0.25)
    label(version, one, question="score_helpfulness", value=-1.5)
    label(version, other, question="score", refused=True)
    assert "helpfulness@1" in signed_in.done("models", study.slug)
    (tmp_path / "clip.mp4").write_bytes(b"a clip")
    Asset.objects.filter(pk=one.asset_id).update(sha256=hashlib.sha256(b"a clip").hexdigest())
    rows = [{"video": other.public_id}, {"path": "clip.mp4", "prompt": pair.prompt.text}, {"video": "0" * 64}]
    path = written(tmp_path, rows)
    asked = ("score", str(path), "--study", study.slug, "--model", "reward@promoted")
    found = json.loads(signed_in.done(*asked, "--json"))
    assert [row["state"] for row in found] == ["failed", "scored", "unknown"]
    assert found[1]["scores"] == {"cost": 0.25, "helpfulness": -1.5}
    signed_in.done(*asked, "--out", str(tmp_path / "scores.csv"))
    with (tmp_path / "scores.csv").open() as file:
        table = list(csv.DictReader(file))
    assert [(row["state"], row["helpfulness"]) for row in table] == [
        ("failed", ""),
        ("scored", "-1.5"),
        ("unknown", ""),
    ]


def test_what_names_no_model_is_refused(signed_in, study, version, tmp_path):
    path = written(tmp_path, [{"video": "0" * 64}])
    asked = ("score", str(path), "--study", study.slug, "--model")
    assert signed_in.refused(*asked, "reward@7")[0] == Exit.NOT_FOUND
    assert signed_in.refused(*asked, "reward")[0] == Exit.USAGE
    assert signed_in.refused("score", str(path))[0] == Exit.USAGE
    assert signed_in.refused(*asked, "reward@promoted", "--local", str(tmp_path))[0] == Exit.USAGE


@pytest.mark.long
def test_videos_without_a_score_are_scored_by_a_worker(signed_in, study, version, server, tmp_path):
    pair, (one, _other) = videos_of(study)
    path = written(tmp_path, [{"video": one.public_id}])
    done = threading.Event()

    def work():
        with worker(server, token_of(owner(study)), tmp_path / "worker") as doing:
            while not done.wait(0.5):
                doing.work_through()

    working = threading.Thread(target=work)
    working.start()
    try:
        # In a process of its own: the worker starts programs in the environment of this one.
        said = signed_in.shell(f"diptych score {path} --study {study.slug} --model reward@promoted --json")
        [row] = json.loads(said)
    finally:
        done.set()
        working.join()
    assert (row["state"], row["scores"]) == ("scored", {"helpfulness": 8.0, "cost": float(len(pair.prompt.text))})
