"""A program goes from nothing to a loaded dataset with the client: an annotator answers, a researcher releases."""

import pytest

from accounts.tokens import issue_token
from diptych_client import Client
from diptych_client.release_folder import Release as Folder
from studies.models import Membership
from tests import factories
from tests.media.workers import Worker
from tests.releases import material

pytestmark = pytest.mark.django_db(transaction=True)


def test_from_nothing_to_a_loaded_dataset(study, server, diptych, token, tmp_path):
    study.categories = ["violence"]
    study.save()
    material.pairs(study, 2, split="train")
    annotator = factories.person()
    Membership.objects.create(study=study, person=annotator, role="annotator")
    with Client(server, issue_token(annotator, scopes=["read", "annotate"])) as client:
        [mine] = client.studies()
        terms = client.consent(mine["slug"])
        assert (client.lease(mine["slug"])["reason"], terms["state"]) == ("consent", "first")
        harms = [harm["key"] for harm in terms["categories"]]
        agreed = client.agree(mine["slug"], version=terms["version"], language="en", categories=harms)
        assert agreed["state"] == "given"
        answered = []
        while pair := client.lease(mine["slug"])["current"]:
            assert client.submit(pair["id"], factories.body())["annotation"]["counted"]
            answered.append(pair["pair_id"])
    diptych.sign_in(server, token)
    worker = Worker("--pool", "solo")
    try:
        with Client(server, token) as client:
            wanted = {
                "licence": "CC-BY-4.0",
                "licence_reason": "Checked",
                "filter": {"decisions": ["none"]},
                "formats": ["jsonl", "videos", "frames"],
            }
            made = client.wait_for_release(client.make_release(study.slug, wanted)["id"], within_s=60)
    finally:
        worker.stop()
    diptych.done("pull", study.slug, "mine")
    folder = Folder.open(tmp_path / "mine")
    assert folder.manifest == made["manifest"]
    pairs = list(folder.pairs())
    assert sorted(pair.pair_id for pair in pairs) == sorted(answered)
    assert len(pairs) == 2
    for pair in pairs:
        assert (pair.n, pair.decided("helpfulness"), pair.decided("harmlessness")) == (1, "video_0", "video_0")
        assert len(folder.video(pair.video_0)) == 900
        assert [picture[:2] for picture in folder.frames(pair.video_1)] == [b"\xff\xd8"] * 8
