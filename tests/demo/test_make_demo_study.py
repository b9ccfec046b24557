"""The demo study and its sign-ins, and how many of a study's videos are prepared.

The clips' files exist already, with bytes that only look like videos. Drawing the real ones has tests of its own.
"""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from accounts.tokens import issue_token
from catalog.models import Pair
from demo.takes import takes
from media.models import Asset
from safety.models import Officer
from studies import promises
from studies.harms import HARM_KEYS
from studies.models import Membership, Study
from tests import factories
from tests.importing.manifests import write_file

pytestmark = pytest.mark.django_db


@pytest.fixture
def make_demo(tmp_path):
    """Run the command. Return the people file."""
    folder = tmp_path / "clips"
    for take in takes():
        write_file(folder, take.path)

    def run(*arguments):
        target = tmp_path / "state" / "people.json"
        call_command("make_demo_study", *arguments, people_file=str(target), clips=str(folder))
        return target

    return run


def test_demo_study_and_its_sign_ins(make_demo, client):
    path = make_demo()

    study = Study.objects.get()
    assert (study.slug, study.title) == ("demo", "Demo: shapes in motion")
    assert Pair.objects.filter(study=study).count() > 20
    assert (study.state, promises.unkept(study), study.categories) == ("running", [], list(HARM_KEYS))
    assert set(Pair.objects.values_list("in_sample", "wanted")) == {(False, 1), (True, 2)}
    assert path.stat().st_mode & 0o777 == 0o600
    people = json.loads(path.read_text())
    assert [(one["username"], one["role"]) for one in people] == [
        ("annotator", "annotator"), ("annotator2", "annotator"), ("reviewer", "reviewer"),
        ("researcher", "researcher"), ("admin", "admin"), ("wellbeing_contact", "wellbeing_contact"),
        ("safety_officer", "safety_officer"),
    ]  # fmt: skip
    for one in people:
        assert factories.signs_in(client, one["username"], one["password"])
        assert bool(one["token"]) == (one["role"] != "safety_officer")  # no token can open reports
    officer = Officer.objects.get()
    assert (officer.person.username, officer.study) == ("safety_officer", None)
    assert not User.objects.filter(must_change_password=True).exists()


@pytest.mark.long
def test_again_if_missing_does_nothing(make_demo, django_assert_max_num_queries):
    written = make_demo().read_text()
    with django_assert_max_num_queries(5):
        path = make_demo("--if-missing")
    assert path.read_text() == written


@pytest.mark.long
def test_lost_people_file_is_written_again_with_new_secrets(make_demo, client):
    path = make_demo()
    before = {one["username"]: one for one in json.loads(path.read_text())}
    path.unlink()
    make_demo("--if-missing")
    for one in json.loads(path.read_text()):
        assert one["password"] != before[one["username"]]["password"]
        assert factories.signs_in(client, one["username"], one["password"])
    assert Membership.objects.count() == 6
    assert Officer.objects.count() == 1
    assert User.objects.get(username="admin").auth_token_set.count() == 1


@pytest.mark.long
def test_people_of_a_database_that_went_away_are_made_again(make_demo, tmp_path):
    write_file(tmp_path, "state/people.json", b"[]")
    path = make_demo("--if-missing")
    assert len(json.loads(path.read_text())) == 7


@pytest.mark.long
def test_a_real_admin_keeps_the_password(make_demo):
    admin = factories.member(factories.study(), "admin", username="admin")
    issue_token(admin, scopes=["read"])
    with pytest.raises(CommandError, match="a person called admin who also belongs to other studies"):
        make_demo()
    assert User.objects.get(username="admin").password == admin.password
    assert not User.objects.filter(username="annotator").exists()


def progress(study, *arguments):
    out, err = StringIO(), StringIO()
    call_command("media_progress", "--study", study.slug, *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_media_progress_counts_files_and_says_why_some_failed(study):
    about = factories.prompt(study, text="A cube that turns into a ball while\nit rolls downhill")
    shared = factories.asset()
    factories.video(about, asset=shared)
    factories.video(factories.prompt(study), asset=shared)
    failed = factories.video(about, asset=factories.asset(state="failed", reason="It ends in the middle."))
    full = "No space left on device"
    troubled = factories.asset(state="waiting", reason=full, pauses=1)
    factories.video(about, asset=troubled)
    factories.video(factories.prompt(study), asset=troubled)
    factories.video(about, asset=factories.asset(state="waiting"))
    factories.video(factories.prompt(factories.study()))

    out, err = progress(study)
    assert out.splitlines() == [
        f"Videos of {study.slug}: 2 waiting, 0 running, 1 done, 1 failed, 0 cancelled.",
        "Estimating time left…",
    ]
    assert err.splitlines() == [
        "No periodic sweep has ended yet. Check that a worker and beat run.",
        f"{failed.public_id[:8]} “A cube that turns into a ball while it …”: It ends in the middle.",
        f"1 waiting, next attempt now; see the worker's log: {full}",
    ]
    assert json.loads(progress(study, "--json")[0]) == {
        "waiting": 2, "running": 0, "done": 1, "failed": 1, "cancelled": 0, "per_minute": None, "left_s": None,
        "failures": [
            {"video": failed.public_id, "prompt": about.text, "code": "", "reason": "It ends in the middle."}
        ],
        "troubles": [{"trouble": full, "videos": 1}], "last_sweep_at": None,
    }  # fmt: skip


def test_waiting_ends_when_every_video_is_ready_or_failed(study):
    factories.video(factories.prompt(study))
    factories.video(factories.prompt(study), asset=factories.asset(state="failed", reason="It is no video."))
    assert "1 done, 1 failed" in progress(study, "--wait")[0]


@pytest.mark.long
def test_waiting_without_a_worker_ends_with_a_sentence(study):
    factories.video(factories.prompt(study), asset=factories.asset(state="waiting"))
    with pytest.raises(CommandError, match=r"while videos wait \(1\): it seems that no worker is running") as caught:
        progress(study, "--wait", "--patience", "0.6")
    assert caught.value.returncode == 1
    assert Asset.objects.get().state == "waiting"


@pytest.mark.long
def test_waiting_in_vain_says_what_the_trouble_is(study):
    troubled = factories.asset(state="waiting", reason="No space left on device", pauses=1)
    factories.video(factories.prompt(study), asset=troubled)
    with pytest.raises(CommandError, match=r"while videos wait \(1\): No space left on device$"):
        progress(study, "--wait", "--patience", "0.6")


def test_media_progress_of_no_study(db):
    with pytest.raises(CommandError, match="There is no study 'nothing'"):
        call_command("media_progress", "--study", "nothing")
