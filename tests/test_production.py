"""The processes of docker-compose.yml run by hand in production mode.

They go from an empty database to a video that nginx sends.
"""

import re
from collections.abc import Iterator

import pytest

from tests import factories
from tests.composed import application_services
from tests.installation import Installation, Visitor
from tests.programs import find
from tests.web import wait_for

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Make an installation after the service migrate, and after `createsuperuser` as in the documentation."""
    installation = Installation("production", tmp_path_factory.mktemp("production"))
    try:
        installation.run(application_services()["migrate"]["command"][2])
        installation.run(
            "diptych-server createsuperuser --noinput",
            DJANGO_SUPERUSER_USERNAME="root",
            DJANGO_SUPERUSER_EMAIL="root@example.org",
            DJANGO_SUPERUSER_PASSWORD="a password of its own",
        )
        yield installation
    finally:
        installation.close()


@pytest.fixture(scope="module")
def web(installed: Installation) -> int:
    return installed.start_web()


@pytest.fixture(scope="module")
def site(installed: Installation, web: int) -> int:
    """Yield the port of nginx, with all services behind it, those behind the web server included."""
    program = find("nginx")
    if program is None:
        pytest.skip("nginx is not installed here; on Debian or Ubuntu: apt-get install nginx-light")
    for service in ("worker", "beat"):
        installed.start_service(service)
    return installed.start_nginx(program, web)


@pytest.fixture(scope="module")
def token(installed: Installation) -> str:
    return installed.fill()


def test_a_superuser_of_the_command_line_signs_in_with_the_password_that_was_chosen(web):
    visitor = Visitor(web)
    response = visitor.send_form("/accounts/sign-in/", username="root", password="a password of its own")
    assert response.status == 302
    assert response.headers["Location"] == "/"
    assert "New study" in visitor.page("/")  # at once: no password of one time is asked to be replaced


def test_a_request_without_tls_is_sent_to_https(web):
    visitor = Visitor(web)
    visitor.headers["X-Forwarded-Proto"] = "http"
    response, _ = visitor.ask("GET", "/accounts/sign-in/")
    assert (response.status, response.headers["Location"]) == (301, "https://diptych.example.org/accounts/sign-in/")


def test_static_files_are_served_as_they_were_collected(site):
    page = Visitor(site).page("/accounts/sign-in/")
    [style, *_] = re.findall(r'href="(/static/[^"]+\.css)"', page)
    response, content = Visitor(site).ask("GET", style)
    assert (response.status, response.headers["Content-Type"]) == (200, 'text/css; charset="utf-8"')
    assert content


def test_a_video_comes_from_nginx_in_ranges_and_by_no_other_way(installed, site, token):
    ada = Visitor(site, token)
    lease = ada.api("POST", "studies/colours/assignments/", {})["current"]
    address = re.findall(r"/media/[0-9a-f]+\.mp4\?[^\"']+", str(lease))[0]
    response, part = ada.ask("GET", address, Range="bytes=4-7")
    assert (response.status, part, response.headers["Content-Type"]) == (206, b"ftyp", "video/mp4")
    assert response.headers["Server"].startswith("nginx")
    assert "X-Accel-Redirect" not in response.headers
    name = re.search(r"/media/([0-9a-f]+)\.mp4", address)[1]
    stored = f"renditions/{name[:2]}/{name}/playback.mp4"
    assert (installed.folder / "media" / stored).exists()
    assert ada.status(f"/internal-media/{stored}") == 404
    assert ada.status(address.split("?")[0]) == 403
    ada.api("POST", f"assignments/{lease['id']}/submit/", factories.body())


def test_an_import_from_the_import_folder_is_done_by_the_worker(installed, site, token):
    root = Visitor(site, token_of(installed, "root"))
    job = root.api("POST", "studies/colours/imports/", {"source": "server", "location": "colours", "options": {}})
    state = wait_for(
        lambda: (found := root.api("GET", f"imports/{job['id']}/")["state"]) not in {"waiting", "running"} and found,
        f"the import did not end; see {installed.log('worker')}",
        within_s=60,
    )
    assert state == "done"


def token_of(installed: Installation, username: str) -> str:
    """Return an API token of a person who is the study's admin."""
    return installed.python(f"""
import django; django.setup()
from accounts.models import User
from accounts.tokens import issue_token
from studies.models import Membership, Study
person = User.objects.get(username={username!r})
Membership.objects.get_or_create(study=Study.objects.get(slug="colours"), person=person, role="admin")
print(issue_token(person, scopes=["read", "manage"]), end="")
""")


def test_beat_sends_the_sweeps(installed, site):
    wait_for(lambda: "Sending due task" in installed.log("beat").read_text(), "beat sends nothing", within_s=60)
    wait_for(lambda: "succeeded in" in installed.log("worker").read_text(), "the worker does nothing", within_s=60)
