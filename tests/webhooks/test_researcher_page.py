"""The receiver of the researchers' page, run as a program of its own."""

import os
import subprocess
import sys
from contextlib import closing

import pytest

from tests.documents import code
from tests.production import ROOT
from tests.web import free_port
from tests.webhooks.test_deliveries import assert_soon, attempt, happened
from webhooks import deliveries, endpoints

pytestmark = pytest.mark.django_db


@pytest.mark.long
def test_the_receiver_checks_the_signature_and_prints_each_event_once(study, admin, settings):
    settings.WEBHOOK_PRIVATE_NETWORKS = ["127.0.0.0/8"]
    port = free_port()
    address = f"http://127.0.0.1:{port}/"
    _endpoint, secret = endpoints.create(study, address=address, events=["lot.accepted"], actor=admin)
    _other, _secret = endpoints.create(study, address=f"{address}other", events=["lot.returned"], actor=admin)
    program = code(ROOT / "docs" / "researcher.md", "python", "Webhooks")
    assert "8099" in program
    process = subprocess.Popen(
        [sys.executable, "-c", program.replace("8099", str(port))],
        env=os.environ | {"WEBHOOK_SECRET": secret},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        [delivery] = happened(study)
        assert_soon(lambda: attempt(delivery).problem != "not_connected")
        assert (delivery.state, delivery.response_status) == ("done", 204)
        deliveries.send_again(delivery, actor=admin)
        assert attempt(delivery).response_status == 204
        [forged] = happened(study, "lot.returned")  # signed with the secret of another endpoint
        assert attempt(forged).response_status == 400
    finally:
        process.kill()
    with closing(process.stdout) as printed:
        [line] = printed.read().splitlines()
    process.wait()
    assert line.startswith("lot.accepted ")
    assert line.endswith(str({"lot": 12, "study": study.slug}))
