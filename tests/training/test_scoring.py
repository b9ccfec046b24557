"""Scoring new videos with a promoted version, by a worker, into labels."""

import base64
import hashlib
import io
import json
import threading

import pytest
from django.urls import reverse

from catalog.models import Label
from diptych.refusals import BadInput, Refused
from tests import factories
from tests.releases import material
from tests.training.registering import clusters, decided, owner, reward_rows
from tests.training.training import released, token_of, worker
from training import claims, finishing, registry, scoring, uploads
from training.claims import Offer
from training.models import Run

pytestmark = pytest.mark.django_db
GOOD = reward_rows(0.9, clusters())


@pytest.fixture
def version(study):
    return decided(released(study), GOOD)


@pytest.fixture
def new_pairs(version):
    """Two pairs whose four videos have stored frames. The videos of the release have none left to score."""
    made = material.pairs(version.study, 2)
    seen = scoring.unscored(version).exclude(pk__in=[one.pk for pair in made for one in (pair.video_0, pair.video_1)])
    about = {"study": version.study, "labeller": scoring.labeller(version), "labeller_version": "1"}
    Label.objects.bulk_create([Label(video=one, question="cost", value=0.5, **about) for one in seen])
    return made


def score(run, rows):
    """Do a scoring run as a worker does, with these lines as its result."""
    mine = claims.claim(owner(run.study), Offer(name="gpu-1"))
    content = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    digest = hashlib.sha256(content).hexdigest()
    given = {"sha256": digest, "size": len(content), "read": io.BytesIO(content).read}
    uploads.store(mine, mine.fence, scoring.PATH, **given)
    return finishing.finish(mine, mine.fence, metrics=[], files={scoring.PATH: digest}, wall_s=1)


def test_scores_become_labels_of_the_version_once(version, new_pairs, researcher):
    run = scoring.ask(version, actor=researcher)
    assert (run.purpose, run.version, run.state) == ("score", version, "waiting")
    with pytest.raises(Refused, match="already waiting or running"):
        scoring.ask(version, actor=researcher)
    videos = [one for pair in new_pairs for one in (pair.video_0, pair.video_1)]
    rows = [{"id": one.public_id, "scores": {"helpfulness": 0.25, "cost": -1}} for one in videos[:3]]
    score(
        run,
        [*rows, {"id": videos[3].public_id, "error": "A frame is broken."}, {"id": "f" * 64, "scores": {"cost": 1}}],
    )
    found = Label.objects.filter(video__in=videos, refused=False).order_by("video", "question")
    assert [(label.question, label.value) for label in found[:2]] == [("cost", -1), ("score_helpfulness", 0.25)]
    assert {(label.labeller, label.labeller_version) for label in found} == {("helpfulness on small", "1")}
    assert found.count() == 6
    assert list(scoring.unscored(version)) == []  # it would fail again, and keep others waiting
    assert scoring.progress(version)["failed"] == 1
    assert scoring.find(version, [{"video": videos[3].public_id}])[0]["state"] == "failed"
    again = scoring.ask(version, actor=researcher, videos=[videos[3].public_id])
    assert len(list(scoring.items(again, 0))) == 1
    score(again, [*rows, {"id": videos[3].public_id, "scores": {"helpfulness": 1, "cost": 1}}])
    assert Label.objects.filter(video__in=videos, refused=False).count() == 8
    assert scoring.progress(version)["failed"] == 0
    with pytest.raises(Refused, match="scored all these videos"):
        scoring.ask(version, actor=researcher)


@pytest.mark.long
@pytest.mark.parametrize(
    "row",
    [
        [],
        {"id": 7, "scores": {"cost": 1}},
        {"id": "a", "scores": {}},
        {"id": "a", "scores": {"cost": "high"}},
        {"id": "a", "scores": {"cost": True}},
    ],
)
def test_a_file_that_is_no_result_of_scoring_ends_nothing(version, new_pairs, researcher, row):
    run = scoring.ask(version, actor=researcher)
    with pytest.raises(BadInput, match="no result of scoring"):
        score(run, [row])
    run.refresh_from_db()
    assert run.state == "running"
    assert Label.objects.filter(video=new_pairs[0].video_0).count() == 0


@pytest.mark.long
def test_only_a_promoted_version_scores(version, new_pairs, researcher):
    registry.take_back(version, reason="It is slow.", actor=researcher)
    version.refresh_from_db()
    with pytest.raises(Refused, match="Only a promoted version"):
        scoring.ask(version, actor=researcher)


@pytest.mark.long
def test_videos_in_quarantine_are_not_sent(version, new_pairs, researcher):
    asset = new_pairs[0].video_0.asset
    before = scoring.unscored(version).count()
    type(asset).objects.filter(pk=asset.pk).update(quarantined_at=asset.created_at)
    assert scoring.unscored(version).count() == before - 1


def test_the_api_queues_and_gives_its_worker_prompts_and_frames(version, new_pairs, api, monkeypatch):
    monkeypatch.setattr(scoring, "VIDEOS_A_PAGE", 3)
    person = owner(version.study)
    client = api(person)
    queued = client.post(f"/api/v1/models/{version.pk}/score/")
    assert (queued.status_code, queued.json()["purpose"]) == (202, "score")
    assert client.get(f"/api/v1/runs/{queued.json()['id']}/items/").status_code == 404  # nobody has claimed it
    run = claims.claim(person, Offer(name="gpu-1"))
    page = client.get(f"/api/v1/runs/{run.pk}/items/").json()
    assert len(page["items"]) == 3
    first = page["items"][0]
    assert (first["id"], first["prompt"]) == (new_pairs[0].video_0.public_id, new_pairs[0].prompt.text)
    assert [base64.b64decode(frame)[:2] for frame in first["frames"]] == [b"\xff\xd8"] * 8
    rest = client.get(f"/api/v1/runs/{run.pk}/items/?after={page['next']}").json()
    assert ([item["id"] for item in rest["items"]], rest["next"]) == ([new_pairs[1].video_1.public_id], None)
    another = factories.member(version.study, "researcher")
    assert api(another).get(f"/api/v1/runs/{run.pk}/items/").status_code == 404


def test_the_page_has_a_button_and_says_how_many_are_left(version, new_pairs, browser_client, researcher):
    client = browser_client(researcher)
    page = reverse("models:version", args=[version.study.slug, version.family_id, 1])
    assert "Score 4 videos" in client.get(page).content.decode()
    after = client.post(reverse("models:score", args=[version.study.slug, version.family_id, 1]), follow=True)
    assert "The videos are scored by the next free worker." in after.content.decode()
    assert Run.objects.filter(purpose="score").count() == 1


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_a_real_worker_scores_new_videos(study, server, tmp_path):
    version = decided(released(study), GOOD)
    pair = material.pairs(study, 1)[0]
    run = scoring.ask(version, actor=owner(study))
    doing = worker(server, token_of(owner(study)), tmp_path / "worker")
    with doing:
        thread = threading.Thread(target=doing.work_through)
        thread.start()
        thread.join(60)
    run.refresh_from_db()
    assert (run.state, run.reason) == ("done", "")
    found = {label.question: label.value for label in Label.objects.filter(video=pair.video_0)}
    assert found == {"score_helpfulness": 8.0, "cost": float(len(pair.prompt.text))}
