"""docker-compose.yml fits the settings, the image and nginx.

Docker Compose and hadolint read the files. No engine is needed.
"""

import re
import subprocess

import pytest

from diptych.declared_settings import SETTINGS
from tests.composed import FILLED_IN, application_services, compose, configuration
from tests.delivering import NGINX
from tests.layout import PRODUCT
from tests.production import BIN, ROOT, environment

#: Set by docker-compose.yml itself, since they follow from its services and volumes.
FIXED = {"DIPTYCH_MODE", "DIPTYCH_HOME", "DATABASE_URL", "REDIS_URL", "MEDIA_ROOT", "STATIC_ROOT", "TMPDIR"}
PASSED = sorted({setting.name for setting in SETTINGS} - FIXED)
APPLICATION = {"migrate", "web", "worker", "media-worker", "beat"}


def test_every_setting_reaches_every_service_of_the_application():
    given = {name: f"value-of-{name.lower()}" for name in PASSED}
    services = application_services(**given)
    assert set(services) == APPLICATION
    for name, service in services.items():
        passed = {key: value for key, value in service["environment"].items() if key not in FIXED}
        assert passed == given, name
        assert set(service["environment"]) >= FIXED, name


@pytest.mark.long
def test_what_is_not_set_has_a_value_that_settings_accept():
    ran = subprocess.run(
        [BIN / "python", "-c", "import diptych.settings as s; print(s.MEDIA_DELIVERY, s.TRUSTED_PROXIES, s.MODE)"],
        cwd=ROOT,
        env=environment(**application_services()["web"]["environment"]),
        capture_output=True,
        text=True,
    )
    assert ran.stdout == "nginx 2 production\n", ran.stderr


@pytest.mark.long
@pytest.mark.parametrize("missing", FILLED_IN)
def test_what_is_required_is_named_all_at_once(missing):
    ran = compose("config", **{name: value for name, value in FILLED_IN.items() if name != missing})
    assert ran.returncode != 0
    for name in FILLED_IN:
        assert name in ran.stderr


def test_addresses_and_passwords_fit_the_services():
    services = configuration()["services"]
    environment = services["web"]["environment"]
    assert environment["DATABASE_URL"] == "postgresql://diptych:of-postgres@postgres:5432/diptych"
    assert environment["REDIS_URL"] == "redis://:of-valkey@valkey:6379/0"
    assert services["postgres"]["environment"]["POSTGRES_PASSWORD"] == "of-postgres"
    assert services["valkey"]["command"][-1] == services["valkey"]["environment"]["REDISCLI_AUTH"] == "of-valkey"


def mounts(service):
    return {mount["target"]: mount for mount in service["volumes"]}


def test_imports_and_hashes_are_read_from_folders_of_the_host():
    services = application_services(IMPORT_FOLDER="/srv/material", KNOWN_HASHES_FOLDER="/srv/lists")
    for service in services.values():
        root = service["environment"]["IMPORT_ROOTS"]
        found = {target: (mounts(service)[target]["source"], mounts(service)[target]["read_only"]) for target in
                 (root, "/srv/known-hashes")}  # fmt: skip
        assert found == {root: ("/srv/material", True), "/srv/known-hashes": ("/srv/lists", True)}


def test_folders_of_the_application_lie_on_volumes_that_all_its_services_share():
    for service in application_services().values():
        for name, volume in (("MEDIA_ROOT", "media"), ("STATIC_ROOT", "static"), ("TMPDIR", "scratch")):
            mount = mounts(service)[service["environment"][name]]
            assert (mount["type"], mount["source"], mount.get("read_only", False)) == ("volume", volume, False)


# --- nginx --------------------------------------------------------------------------------------------


def nginx_configuration():
    """Return the text of the file that the service nginx uses."""
    mount = mounts(configuration()["services"]["nginx"])["/etc/nginx/nginx.conf"]
    assert mount["read_only"]
    return (ROOT / "deploy" / mount["source"].rpartition("/deploy/")[2]).read_text()


def test_nginx_sees_the_media_as_the_user_who_owns_them():
    nginx = configuration()["services"]["nginx"]
    [alias] = re.findall(r"alias (\S+)/;", nginx_configuration())
    mount = mounts(nginx)[alias]
    assert alias == application_services()["web"]["environment"]["MEDIA_ROOT"]
    assert (mount["source"], mount["read_only"], mount["volume"]) == ("media", True, {"nocopy": True})
    image = (ROOT / "Dockerfile").read_text()
    assert re.findall(r"^USER (\S+)$", image, re.MULTILINE) == [nginx["user"]] == ["1000:1000"]
    assert "useradd --create-home --uid 1000 diptych" in image


def test_nginx_leads_to_the_web_server_and_only_it_has_a_port():
    services = configuration()["services"]
    [(host, port)] = re.findall(r"server (\w+):(\d+);", nginx_configuration())
    assert host == "web"
    assert f'"--port", "{port}"' in (ROOT / "Dockerfile").read_text()
    [published] = services["nginx"]["ports"]
    assert f"listen {published['target']};" in nginx_configuration()
    assert (published["host_ip"], published["published"]) == ("127.0.0.1", "8000")
    assert published["target"] >= 1024, "who is not root cannot listen there everywhere"
    assert [name for name, service in services.items() if service.get("ports")] == ["nginx"]


def locations(text):
    """Return the location blocks that both configurations have, without indentation and comments."""
    blocks = re.findall(r"location (?!=)(\S+) \{(.*?)\}", text, re.DOTALL)
    return {name: [line.split("#")[0].strip() for line in body.splitlines() if line.strip()] for name, body in blocks}


def test_nginx_of_the_containers_and_of_debian_serve_the_same():
    debian = locations((ROOT / "deploy/nginx.conf").read_text())
    # The proxy in front of the containers terminates TLS, and says so in a header.
    for name in ("/", "/api/v1/imports/"):
        said, meant = "X-Forwarded-Proto $scheme", "X-Forwarded-Proto $outer_scheme"
        debian[name] = [line.replace(said, meant) for line in debian[name]]
    assert locations(nginx_configuration()) == debian
    assert set(debian) == {"/", "/api/v1/imports/", "/internal-media/"}


def test_nginx_accepts_the_configuration(tmp_path):
    if NGINX is None:
        pytest.skip("nginx is not installed here; on Debian or Ubuntu: apt-get install nginx-light")
    text = nginx_configuration().replace("web:8000", "127.0.0.1:8000").replace("/tmp/", f"{tmp_path}/")
    (tmp_path / "nginx.conf").write_text(text)
    ran = subprocess.run([NGINX, "-t", "-c", tmp_path / "nginx.conf"], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


# --- Starting and stopping ----------------------------------------------------------------------------


def test_every_service_restarts_except_those_that_run_once():
    policies = {name: service["restart"] for name, service in configuration()["services"].items()}
    assert policies.pop("migrate") == "no"
    assert set(policies.values()) == {"unless-stopped"}


def test_each_starts_after_what_it_needs():
    services = configuration()["services"]
    for name in APPLICATION - {"migrate"}:
        needed = {other: need["condition"] for other, need in services[name]["depends_on"].items()}
        assert needed == {
            "migrate": "service_completed_successfully",
            "postgres": "service_healthy",
            "valkey": "service_healthy",
        }
    assert services["nginx"]["depends_on"]["web"]["condition"] == "service_healthy"
    assert {name for name in services if "healthcheck" in services[name]} == {"postgres", "valkey", "web", "nginx"}


def test_there_is_one_beat_and_a_worker_for_each_queue():
    commands = {name: " ".join(service["command"] or []) for name, service in application_services().items()}
    assert [name for name, command in commands.items() if " beat " in f"{command} "] == ["beat"]
    queues = {queue for command in commands.values() for queue in re.findall(r"worker -Q (\S+)", command)}
    assert queues == {"default", "media"}


def test_no_service_has_more_rights_than_it_needs():
    services = configuration()["services"]
    for name in (*APPLICATION, "nginx"):
        assert services[name]["cap_drop"] == ["ALL"]
        assert services[name]["security_opt"] == ["no-new-privileges:true"]


# --- The image ----------------------------------------------------------------------------------------


def test_hadolint_finds_nothing_in_the_dockerfile():
    ran = subprocess.run([BIN / "hadolint", "--no-color", ROOT / "Dockerfile"], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout) == (0, "")


def test_the_image_has_what_the_product_needs_and_no_secret():
    ignored = (ROOT / ".dockerignore").read_text().split()
    for name in (*PRODUCT, "locale", "static"):
        assert name not in ignored
    assert "templates" not in ignored
    assert {".env", "diptych.env", ".git", ".diptych", ".venv", "backup*"} <= set(ignored)
