"""Advisory locks have different keys, and no request waits for a lock without a limit."""

import json
import re
import urllib.parse
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from accounts.tokens import issue_token
from annotation.models import Annotation
from diptych.database.locks import Key
from studies.people import add_numbered
from tests import factories
from tests.accounts.test_sign_in_attack import post
from tests.browser.conftest import cookies_of
from tests.holding import elsewhere
from tests.layout import PRODUCT
from tests.web import answers

CSRF = "a" * 32


@pytest.mark.long
def test_every_key_has_a_number_of_its_own():
    assert len({int(key) for key in Key.__members__.values()}) == len(Key.__members__)


@pytest.mark.long
def test_no_other_module_asks_for_an_advisory_lock():
    modules = [path for room in PRODUCT for path in (Path(settings.BASE_DIR) / room).rglob("*.py")]
    asking = [path.name for path in modules if re.search(r"pg_\w*advisory", path.read_text())]
    assert asking == ["locks.py"]


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_adding_people_does_not_wait_for_an_import_that_keeps_files():
    study = factories.study()
    with elsewhere(f"SELECT pg_advisory_lock_shared({int(Key.UNNAMED_FILES)}, 0)"), connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '5s'")
        try:
            added = add_numbered(study, role="annotator", count=2, once=uuid.uuid4())
        finally:
            cursor.execute("RESET lock_timeout")
    assert len(added) == 2


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
class TestServed:
    """Tests on the production server, which has eight threads here."""

    @pytest.fixture
    def port(self, server):
        return urllib.parse.urlsplit(server).port

    def test_more_forms_than_threads_that_meet_a_lock_are_told_to_try_again_and_the_server_lives(self, server, port):
        study = factories.study()
        [cookie] = cookies_of(factories.member(study, "admin"), server)
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Cookie": f"{cookie['name']}={cookie['value']}; csrftoken={CSRF}",
        }

        def add():
            body = {"role": "annotator", "count": 1, "once": uuid.uuid4(), "csrfmiddlewaretoken": CSRF}
            return post(port, f"/studies/{study.slug}/people/numbered/", urllib.parse.urlencode(body), headers)

        with (
            elsewhere(f"SELECT pg_advisory_xact_lock({int(Key.NUMBER_PEOPLE)}, 0)"),
            ThreadPoolExecutor(12) as pool,
        ):
            outcomes = [outcome.result() for outcome in [pool.submit(add) for _ in range(12)]]
            assert answers(f"{server}/healthz")
        assert {status for status, _, _ in outcomes} == {503}
        assert {about["Retry-After"] for _, about, _ in outcomes} == {"2"}
        assert all("Someone else is changing the same data." in page.decode() for _, _, page in outcomes)
        assert add()[0] == 200

    def test_an_answer_that_meets_a_lock_is_deferred_and_accepted_afterwards(self, port):
        study = factories.study()
        factories.pairs(study, 2)
        token = issue_token(factories.member(study, "annotator"), scopes=["annotate"])
        headers = {"Authorization": f"Token {token}", "Content-Type": "application/json"}
        leased = json.loads(post(port, f"/api/v1/studies/{study.slug}/assignments/", "{}", headers)[2])["current"]
        address, body = f"/api/v1/assignments/{leased['id']}/submit/", json.dumps(factories.body())
        with elsewhere(f"SELECT id FROM annotation_assignment WHERE id = {leased['id']} FOR UPDATE"):
            status, about, content = post(port, address, body, headers)
            assert (status, json.loads(content)["code"], about["Retry-After"]) == (503, "locked", "2")
            assert not Annotation.objects.exists()
        assert post(port, address, body, headers)[0] == 201
        assert Annotation.objects.count() == 1
