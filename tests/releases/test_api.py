"""The API of releases: make, read, cancel, download, withdraw."""

import base64
import hashlib

import pytest
from django.core.files.storage import default_storage

from accounts.models import AuditEvent
from annotation.models import Annotation
from releases import api as releases_api
from releases import making, sending
from releases.models import Release
from tests import factories
from tests.releases import material
from tests.releases.releasing import LICENCE, accepted, answered, ask, make, stored

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(api, researcher):
    return api(researcher)


@pytest.fixture
def release(study):
    accepted(*answered(study, pairs=2))
    return make(study)


def file_of(release, path="annotations.jsonl"):
    return f"/api/v1/releases/{release.pk}/files/{path}"


class TestMaking:
    def path(self, study):
        return f"/api/v1/studies/{study.slug}/releases/"

    def test_a_release_is_ordered_followed_and_read(self, study, client):
        material.answered(study, 1)
        wanted = {"licence": LICENCE, "filter": {"decisions": ["none"]}}
        response = client.post(self.path(study), wanted, format="json")
        assert response.status_code == 202
        body = response.json()
        assert (body["state"], body["number"], body["files"]) == ("waiting", 1, [])
        making.run(body["id"])
        made = client.get(f"/api/v1/releases/{body['id']}/").json()
        assert (made["state"], made["counts"]["answers"], made["manifest"]["release"]) == ("done", 1, 1)
        paths = {file["path"] for file in made["files"]}
        assert paths >= {"annotations.jsonl", "manifest.json", "frames/frames-excluded-00000.tar"}
        listed = client.get(self.path(study)).json()
        assert (listed["latest"], [one["number"] for one in listed["releases"]], listed["next"]) == (1, [1], None)

    def test_the_whole_filter_is_accepted(self, study, client):
        accepted(*answered(study))
        wanted = {
            "decisions": ["accepted", "returned"],
            "reviewed": "any",
            "since": "2026-01-01",
            "until": "2100-01-01",
            "languages": ["en"],
            "prompt_types": ["safety_neutral"],
            "protocol_versions": [1],
        }
        body = {"licence": LICENCE, "filter": wanted, "formats": ["jsonl"], "with_invalid": True}
        response = client.post(self.path(study), body, format="json")
        assert response.status_code == 202
        assert response.json()["filter"] == wanted | {"lots": []}

    @pytest.mark.long
    def test_options_of_a_format_are_stored_and_its_files_say_what_was_counted(self, study, client):
        accepted(*answered(study))
        wanted = {"formats": ["videoreward"], "options": {"videoreward": {"VQ": "correctness"}}}
        made = client.post(self.path(study), {"licence": LICENCE} | wanted, format="json").json()
        making.run(made["id"])
        release = client.get(f"/api/v1/releases/{made['id']}/").json()
        assert release["manifest"]["options"]["videoreward"]["VQ"] == "correctness"
        assert {file["path"]: file["counts"] for file in release["files"]}["videoreward.csv"] == {"records": 1}

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"formats": ["videoreward"], "options": {"videoreward": {"VQ": "beauty"}}}, "options"),
            ({"licence": ""}, "licence"),
            ({"filter": {"lots": [7]}}, "lots"),
            ({"filter": {"decisions": ["lost"]}}, "filter"),
            ({"formats": ["docx"]}, "formats"),
            ({"parent": 5}, "parent"),
        ],
    )
    def test_wrong_values_are_refused_with_their_field(self, study, client, wrong, field):
        accepted(*answered(study))
        response = client.post(self.path(study), {"licence": LICENCE} | wrong, format="json")
        assert response.status_code == 400
        assert field in response.json()["fields"]
        assert not Release.objects.exists()

    def test_nothing_to_release_and_a_second_order_are_refused(self, study, client):
        response = client.post(self.path(study), {"licence": LICENCE}, format="json")
        assert (response.status_code, response.json()["code"]) == (409, "nothing_left")
        accepted(*answered(study))
        ask(study)
        response = client.post(self.path(study), {"licence": LICENCE}, format="json")
        assert (response.status_code, response.json()["code"]) == (409, "busy")

    @pytest.mark.long
    def test_a_cancelled_release_makes_place_for_the_next(self, study, client):
        accepted(*answered(study))
        first = ask(study)
        for _twice in range(2):
            response = client.post(f"/api/v1/releases/{first.pk}/cancel/")
            assert (response.status_code, response.json()["state"]) == (200, "cancelled")
        making.run(first.pk)
        first.refresh_from_db()
        assert (first.state, first.items.count()) == ("cancelled", 0)
        assert make(study).number == 2


class TestFiles:
    @pytest.mark.long
    def test_a_file_comes_with_its_length_and_its_digest(self, release, client):
        content = stored(release, "annotations.jsonl")
        response = client.get(file_of(release))
        assert response.getvalue() == content
        digest = hashlib.sha256(content)
        assert response.headers["Content-Length"] == str(len(content))
        assert response.headers["ETag"] == f'"{digest.hexdigest()}"'
        assert response.headers["Repr-Digest"] == f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"
        assert AuditEvent.objects.filter(action="release.downloaded").count() == 1

    @pytest.mark.long
    def test_a_broken_download_is_continued_without_asking_whether_it_is_the_same_file(self, release, client):
        content = stored(release, "annotations.jsonl")
        response = client.get(file_of(release), headers={"Range": "bytes=10-"})
        assert (response.status_code, response.getvalue()) == (206, content[10:])
        assert response.headers["Content-Range"] == f"bytes 10-{len(content) - 1}/{len(content)}"
        assert not AuditEvent.objects.filter(action="release.downloaded").exists()
        beyond = client.get(file_of(release), headers={"Range": f"bytes={len(content)}-"})
        assert (beyond.status_code, beyond.json()["code"]) == (416, "range_not_satisfiable")
        same = client.get(file_of(release), headers={"If-None-Match": response.headers["ETag"]})
        assert same.status_code == 304

    @pytest.mark.long
    @pytest.mark.parametrize("state", ["waiting", "failed", "cancelled"])
    def test_nothing_of_an_incomplete_release_can_be_fetched(self, study, release, client, state):
        other = ask(study)
        Release.objects.filter(pk=other.pk).update(
            state=state,
            reason="Trouble" if state == "failed" else "",
            finished_at=None if state == "waiting" else release.finished_at,
        )
        response = client.get(file_of(other))
        assert (response.status_code, response.json()["code"]) == (409, "not_complete")

    @pytest.mark.long
    def test_nothing_of_a_withdrawn_release_can_be_fetched(self, study, release, client):
        key = str(Annotation.objects.filter(study=study).first().pk)
        body = {"kind": "answer", "key": key, "reason": "Asked"}
        made = client.post(f"/api/v1/studies/{study.slug}/withdrawals/", body, format="json")
        assert (made.status_code, made.json()["releases"]) == (201, [release.number])
        assert client.get(f"/api/v1/studies/{study.slug}/withdrawals/").json()["withdrawals"] == [made.json()]
        for path in ("annotations.jsonl", "manifest.json"):
            response = client.get(file_of(release, path))
            assert (response.status_code, response.json()["code"]) == (410, "withdrawn")
        detail = client.get(f"/api/v1/releases/{release.pk}/").json()
        assert (detail["withdrawn"], detail["files"]) == (True, [])
        assert detail["manifest"]["counts"]["answers"] == 2
        assert [(stone["answers"], stone["reason"]) for stone in detail["tombstones"]] == [(1, "Asked")]

    def test_a_download_ends_when_its_release_is_withdrawn(self, study, release, monkeypatch):
        monkeypatch.setattr(sending, "LOOK_EVERY_S", -1)
        with default_storage.open(release.files.get(path="pairs.jsonl").stored_name) as opened:
            file = sending.WhileAllowed(opened, release.files.get(path="annotations.jsonl"))
            assert file.read(10)
            release.tombstones.create(study=study, withdrawal=factories_withdrawal(study), answers=1)
            with pytest.raises(OSError, match="withdrawn"):
                file.read(10)

    @pytest.mark.long
    @pytest.mark.parametrize("path", ["nothing.jsonl", "../secret", "annotations.jsonl/"])
    def test_other_paths_are_not_there(self, release, client, path):
        assert client.get(file_of(release, path)).status_code == 404


def factories_withdrawal(study):
    from releases.models import Withdrawal

    return Withdrawal.objects.create(study=study, kind="person", person=factories.person(), reason="Asked")


def test_withdrawals_are_listed_in_pages(client, study, monkeypatch):
    made = []
    accepted(*answered(study, pairs=2))
    make(study)
    for annotation in Annotation.objects.order_by("pk"):
        body = {"kind": "answer", "key": str(annotation.pk), "reason": "Wrong person."}
        made.append(client.post(f"/api/v1/studies/{study.slug}/withdrawals/", body, format="json").json())
    monkeypatch.setattr(releases_api, "MOST_LISTED", 1)
    first = client.get(f"/api/v1/studies/{study.slug}/withdrawals/").json()
    assert (first["withdrawals"], first["next"]) == ([made[1]], made[1]["id"])
    last = client.get(f"/api/v1/studies/{study.slug}/withdrawals/?before={first['next']}").json()
    assert (last["withdrawals"], last["next"]) == ([made[0]], None)
