"""The command `diptych` against a real server: what it prints, and how it ends."""

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from accounts.tokens import issue_token
from annotation.models import Annotation
from diptych_client.commands.exit_codes import Exit
from diptych_client.release_folder import Release as Folder
from media.models import Asset
from releases import making
from releases.models import ReleaseFile
from releases.withdrawing import subject, withdraw
from tests.client.conftest import ANY_DECISION
from tests.client.published import config, dataset, preference
from tests.production import ROOT
from tests.releases import material
from tests.releases.releasing import ask

pytestmark = pytest.mark.django_db(transaction=True)


def withdraw_one(study):
    key = str(Annotation.objects.filter(study=study).earliest("pk").pk)
    return withdraw(study, subject(study, "answer", key), reason="They asked for it", actor=None)


class TestSigningIn:
    def test_a_token_is_checked_and_stored_for_its_owner_alone(self, diptych, server, token, study):
        ran = diptych.run("sign-in", f"{server}/api/v1/", said=f"{token}\n")
        assert (ran.returncode, ran.stdout) == (0, "")
        assert f"Signed in at {server}. You have a role in 1 study." in ran.stderr
        path = diptych.folder / "settings" / "sign-ins.json"
        assert json.loads(path.read_text()) == {"last": server, "tokens": {server: token}}
        assert path.stat().st_mode & 0o777 == 0o600
        assert study.slug in diptych.done("studies")

    def test_a_wrong_token_is_refused_and_not_stored(self, diptych, server):
        status, sentence = diptych.refused("sign-in", server, said="abc123\n")
        assert (status, "does not accept the token" in sentence) == (Exit.NOT_SIGNED_IN, True)
        assert not (diptych.folder / "settings").exists()

    def test_what_cannot_be_a_token_is_not_sent(self, diptych, server):
        assert diptych.refused("sign-in", server, said="\n")[0] == Exit.USAGE
        assert diptych.refused("sign-in", server, said="Tökén\n")[0] == Exit.USAGE

    def test_a_token_is_not_sent_without_encryption_to_another_machine(self, diptych):
        status, sentence = diptych.refused("sign-in", "http://diptych.example.org", said="abc\n")
        assert (status, "--plain-http" in sentence) == (Exit.USAGE, True)

    def test_a_token_without_the_scope_read_can_sign_in(self, diptych, server, researcher):
        ran = diptych.run("sign-in", server, said=issue_token(researcher, scopes=["export"]))
        assert (ran.returncode, "no scope read" in ran.stderr) == (0, True)

    def test_signing_out_deletes_the_token(self, signed_in, server, token):
        signed_in.done("sign-out")
        assert token not in (signed_in.folder / "settings" / "sign-ins.json").read_text()
        assert signed_in.refused("studies")[0] == Exit.NOT_SIGNED_IN
        assert signed_in.refused("sign-out", server)[0] == Exit.NOT_SIGNED_IN

    def test_programs_name_server_and_token_in_variables(self, diptych, server, token, study):
        assert diptych.refused("studies", DIPTYCH_TOKEN=token)[0] == Exit.NOT_SIGNED_IN
        assert study.slug in diptych.done("studies", DIPTYCH_TOKEN=token, DIPTYCH_SERVER=server)
        assert not (diptych.folder / "settings").exists()

    def test_a_revoked_token_says_to_sign_in_again(self, signed_in, server, researcher):
        researcher.auth_token_set.all().delete()
        status, sentence = signed_in.refused("studies")
        assert (status, f"diptych sign-in {server}" in sentence) == (Exit.NOT_SIGNED_IN, True)


@pytest.mark.long
class TestLists:
    @pytest.mark.long
    def test_studies_and_releases_are_listed_for_people_and_for_programs(self, signed_in, release, study):
        heading, row = signed_in.done("studies").splitlines()
        assert heading.split() == ["study", "state", "your", "roles", "title"]
        assert row.split()[:3] == [study.slug, study.state, "researcher"]
        [of_program] = json.loads(signed_in.done("studies", "--json"))
        assert of_program["slug"] == study.slug
        withdraw_one(study)
        _heading, row = signed_in.done("releases", study.slug).splitlines()
        assert row.split()[:2] == ["1", "withdrawn"]
        assert json.loads(signed_in.done("releases", study.slug, "--json"))[0]["withdrawn"] is True

    def test_what_is_missing_or_not_allowed_is_said(self, signed_in, server, study, annotator):
        assert signed_in.refused("releases", "other-study")[0] == Exit.NOT_FOUND
        signed_in.sign_in(server, issue_token(annotator, scopes=["read"]))
        status, sentence = signed_in.refused("releases", study.slug)
        assert (status, "export" in sentence) == (Exit.NOT_ALLOWED, True)


class TestPulling:
    def test_the_folder_has_every_byte_of_the_release(self, signed_in, release, study, tmp_path):
        printed = signed_in.done("pull", study.slug)
        folder = tmp_path / f"{study.slug}-1"
        assert printed.startswith(f"{study.slug}-1: ")
        assert making.rebuild(release, tmp_path / "rebuilt") == []
        paths = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        assert paths == set(ReleaseFile.objects.values_list("path", flat=True))
        for path in paths:
            assert (folder / path).read_bytes() == (tmp_path / "rebuilt" / path).read_bytes()
        assert {path.name for path in tmp_path.iterdir()} == {folder.name, "rebuilt", "settings"}
        assert Folder.open(folder).check() == []

    @pytest.mark.long
    def test_a_release_is_named_by_its_number_and_goes_into_a_named_folder(self, signed_in, release, study, tmp_path):
        (tmp_path / "empty").mkdir()
        said = json.loads(signed_in.done("pull", f"{study.slug}@1", "empty", "--json"))
        assert (said["release"], said["folder"], said["files"]) == (1, str(tmp_path / "empty"), release.files.count())
        assert said["downloaded_bytes"] == said["bytes"] > 0
        assert Folder.open(tmp_path / "empty").manifest["release"] == 1
        again = json.loads(signed_in.done("pull", f"{study.slug}@latest", "empty", "--json"))
        assert (again["downloaded_bytes"], again["bytes"]) == (0, said["bytes"])

    @pytest.mark.long
    def test_a_complete_folder_is_checked_and_a_wrong_file_named(self, signed_in, release, study, tmp_path):
        signed_in.done("pull", study.slug, "mine")
        with (tmp_path / "mine" / "pairs.jsonl").open("ab") as file:
            file.write(b"\n")
        status, sentence = signed_in.refused("pull", study.slug, "mine")
        assert (status, "pairs.jsonl" in sentence) == (Exit.FOLDER, True)

    @pytest.mark.long
    def test_another_folder_is_not_touched(self, signed_in, release, study, tmp_path):
        (tmp_path / "notes").mkdir()
        (tmp_path / "notes" / "my.txt").write_text("mine")
        assert signed_in.refused("pull", study.slug, "notes")[0] == Exit.FOLDER
        assert [path.name for path in (tmp_path / "notes").iterdir()] == ["my.txt"]
        (tmp_path / "notes" / "my.txt").rename(tmp_path / "file")
        assert signed_in.refused("pull", study.slug, "file")[0] == Exit.FOLDER
        assert signed_in.refused("pull", study.slug, "file/inside")[0] == Exit.MACHINE

    @pytest.mark.long
    def test_a_withdrawn_release_is_not_had_and_what_was_begun_is_deleted(self, signed_in, release, study, tmp_path):
        begun = tmp_path / f".{study.slug}-1.part"
        begun.mkdir()
        (begun / "annotations.jsonl").write_text("{")
        withdraw_one(study)
        status, sentence = signed_in.refused("pull", f"{study.slug}@1")
        assert (status, "They asked for it." in sentence) == (Exit.WITHDRAWN, True)
        assert {path.name for path in tmp_path.iterdir()} == {"settings"}
        assert signed_in.refused("card", f"{study.slug}@1")[0] == Exit.WITHDRAWN
        assert signed_in.refused("pull", study.slug)[0] == Exit.NOT_FOUND  # there is no latest one any more

    @pytest.mark.long
    def test_an_unfinished_release_says_so(self, signed_in, study, researcher):
        material.answered(study, 1, split="train")
        waiting = ask(study, filter=ANY_DECISION)
        status, sentence = signed_in.refused("pull", f"{study.slug}@1")
        assert (status, "still being made" in sentence) == (Exit.NOT_COMPLETE, True)
        making.cancel(waiting, actor=researcher)
        status, sentence = signed_in.refused("pull", f"{study.slug}@1")
        assert (status, "was cancelled" in sentence) == (Exit.NOT_COMPLETE, True)

    @pytest.mark.long
    def test_a_quarantine_keeps_videos_back(self, signed_in, release, study, tmp_path):
        asset = Asset.objects.filter(videos__study=study).first()
        Asset.objects.filter(pk=asset.pk).update(quarantined_at=asset.created_at)
        status, sentence = signed_in.refused("pull", study.slug)
        assert (status, "safety officer" in sentence) == (Exit.NOT_COMPLETE, True)
        assert not (tmp_path / f"{study.slug}-1").exists()

    @pytest.mark.long
    def test_a_release_that_does_not_exist_is_named(self, signed_in, release, study):
        status, sentence = signed_in.refused("pull", f"{study.slug}@2")
        assert (status, "no release 2" in sentence) == (Exit.NOT_FOUND, True)
        assert signed_in.refused("pull", f"{study.slug}@first")[0] == Exit.USAGE


class TestReading:
    @pytest.mark.long
    def test_the_card_comes_from_the_server_or_from_the_folder(self, signed_in, release, study, tmp_path):
        signed_in.done("pull", study.slug, "mine")
        of_folder = signed_in.done("card", "mine")
        assert of_folder == signed_in.done("card", study.slug) == (tmp_path / "mine" / "card.md").read_text()
        assert json.loads(signed_in.done("card", "mine", "--json")) == json.loads(
            (tmp_path / "mine" / "card.json").read_text()
        )

    def test_a_published_dataset_becomes_a_release_folder(self, diptych, tmp_path):
        given = ("convert", "safesora", str(dataset(tmp_path / "published")), "external")
        ran = diptych.run(*given, "--licence", "CC-BY-NC-4.0", "--json")
        assert json.loads(ran.stdout) == Folder.open(tmp_path / "external").manifest
        assert "Reading SafeSora-Eval/eval-prompt.json.gz" in ran.stderr
        status, sentence = diptych.refused(*given)
        assert (status, "is not empty" in sentence) == (Exit.FOLDER, True)
        assert diptych.refused("card", "external")[0] == Exit.NOT_FOUND

    def test_it_says_how_many_records_were_left_out(self, diptych, tmp_path):
        config(tmp_path / "one", "config-train.json", [preference(0), {}])
        ran = diptych.run("convert", "safesora", "one", "external")
        assert "1 records were left out" in ran.stderr
        assert ran.stdout == "external: 1 pairs, 2 T-V pairs, 1 prompts.\n"


class TestServers:
    def test_a_server_that_is_not_there(self, diptych):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        status, sentence = diptych.refused("sign-in", f"http://127.0.0.1:{port}", said="abc\n")
        assert (status, "cannot be reached" in sentence) == (Exit.UNREACHABLE, True)
        status, _sentence = diptych.refused("sign-in", "http://no-such-host.invalid", "--plain-http", said="abc\n")
        assert status == Exit.UNREACHABLE

    @pytest.mark.parametrize("status", [200, 301, 404, 500])
    def test_an_address_that_is_no_diptych_server(self, diptych, status):
        class Other(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *arguments):
                """Print nothing."""

        other = HTTPServer(("127.0.0.1", 0), Other)
        threading.Thread(target=other.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{other.server_port}"
        exit_status, sentence = diptych.refused("sign-in", address, said="abc\n")
        other.shutdown()
        other.server_close()
        assert exit_status == Exit.UNREACHABLE
        assert f"status {status}" in sentence

    @pytest.mark.parametrize("address", ["diptych.example.org", "ftp://example.org", "http://", "https://[", ""])
    def test_what_is_no_address(self, diptych, address):
        assert diptych.refused("sign-in", address, said="abc\n")[0] == Exit.USAGE


def test_the_exit_codes_are_documented():
    rows = [line.strip("| ").split(" | ") for line in (ROOT / "docs/client.md").read_text().splitlines()]
    documented = {int(row[0]): row[1] for row in rows if row[0].isdigit()}
    assert documented == {int(one): one.meaning for one in Exit}
