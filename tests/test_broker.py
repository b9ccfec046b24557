"""No request waits for the broker, whether it refuses, hangs or responds."""

import re
import time
from contextlib import contextmanager
from unittest.mock import patch

import pytest
from django.urls import reverse

from annotation.models import Annotation
from diptych import broker as broker_module
from diptych.broker import Broker, broker
from diptych.celery import app
from diptych.embedded.state import REPOSITORY
from importing.models import Import
from jobs import messages
from studies.models import Study
from tests import factories
from tests.holding import silent_broker

pytestmark = pytest.mark.django_db(transaction=True)

TRANSCODE = "media.tasks.transcode_asset"
REFUSED = "redis://127.0.0.1:1/0"
#: Far above what is promised, and far below any forgotten time-out. The machine may be busy.
BOUND_S = 5.0


@pytest.fixture(autouse=True)
def _fresh():
    broker._paused_until = float("-inf")
    with broker_module.channel() as channel:
        channel.queue_purge("media")
    yield
    broker._paused_until = float("-inf")


@contextmanager
def broker_at(url):
    """Make the product look for the broker at another address."""
    real = app.connection_for_write
    with patch.object(app, "connection_for_write", lambda **options: real(url=url, **options)):
        yield


@pytest.fixture(params=["hung", "refused"])
def without_broker(request):
    with silent_broker() as silent, broker_at(silent if request.param == "hung" else REFUSED):
        yield


def test_sending_a_message_stops_in_time(without_broker):
    began = time.monotonic()
    assert Broker().send(TRANSCODE, range(1000)) == 0
    assert time.monotonic() - began < BOUND_S


def test_after_one_failure_nobody_waits_again_until_the_pause_is_over(without_broker, monkeypatch):
    ours = Broker()
    assert ours.send(TRANSCODE, [1]) == 0
    tried = []
    monkeypatch.setattr(broker_module, "channel", lambda: tried.append(1))
    assert [ours.send(TRANSCODE, [1]) for _ in range(20)] == [0] * 20
    assert tried == []


def test_when_the_broker_is_back_messages_are_sent_again(monkeypatch):
    monkeypatch.setattr(broker_module, "PAUSE_S", 0.0)
    with silent_broker() as silent, broker_at(silent):
        assert broker.send(TRANSCODE, [1]) == 0
    assert broker.send(TRANSCODE, [1]) == 1
    assert messages.queued("media") == 1


def test_people_can_work_without_the_broker(without_broker, api, browser_client):
    study = factories.study()
    factories.pairs(study, 3)
    person = factories.member(study, "annotator")
    client, page = api(person), browser_client(person)
    desk = client.post(f"/api/v1/studies/{study.slug}/assignments/", {}, format="json").json()
    body = factories.body() | {"lease_next": True}
    assert client.post(f"/api/v1/assignments/{desk['current']['id']}/submit/", body, format="json").status_code == 201
    assert Annotation.objects.count() == 1
    for address in ("/", reverse("annotation:workspace", args=[study.slug]), reverse("accounts:viewing")):
        assert page.get(address, follow=True).status_code == 200
    assert page.post(reverse("accounts:sign_out")).status_code == 302


def test_imports_changes_and_pauses_are_accepted_without_the_broker(without_broker, api, settings, tmp_path):
    settings.IMPORT_ROOTS = [tmp_path]
    (tmp_path / "clips").mkdir()
    study = factories.study()
    factories.pairs(study, 2)
    admin, researcher = factories.member(study, "admin"), factories.member(study, "researcher")
    began = time.monotonic()
    client = api(researcher)
    asked = client.post(
        f"/api/v1/studies/{study.slug}/imports/",
        {"source": "server", "location": "clips"},
        format="json",
    )
    assert asked.status_code == 201, asked.content
    client.force_login(admin)
    assert client.post(reverse("studies:state", args=[study.slug]), {"step": "pause"}).status_code == 302
    assert time.monotonic() - began < 2 * BOUND_S
    assert Import.objects.get().state == "waiting"
    assert Study.objects.get().state == "paused"


@pytest.mark.long
def test_every_name_that_messages_are_sent_to_is_a_task():
    app.loader.import_default_modules()
    named = set()
    for path in REPOSITORY.glob("*/**/*.py"):
        if path.relative_to(REPOSITORY).parts[0] not in ("tests", ".venv"):
            named |= set(re.findall(r'"([a-z]+\.tasks\.[a-z_]+)"', path.read_text()))
    of_workers = re.findall(r'task\(name="([a-z.]+)"\)', (REPOSITORY / "training/worker/celery_app.py").read_text())
    assert TRANSCODE in named
    assert named <= {*app.tasks, *of_workers}
