"""A whole installation in production mode, as an operator has it, on a database and in folders of its own.

Its environment and its commands are those of docker-compose.yml and of the image. Only addresses and folders differ,
since everything runs on this machine.
"""

import http.client
import json
import os
import re
import shlex
import subprocess
import sys
import urllib.parse
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg

from diptych.embedded import binaries
from diptych.embedded.process import Guarded
from tests.composed import application_services
from tests.production import BIN, ROOT, environment
from tests.servers import servers
from tests.web import free_port, wait_for

HOST = "diptych.example.org"
BROKER_DATABASE = 9  # in the test run's Valkey, of which the tests themselves use 0 to 8

#: A study with two answers on the imported clips, and an annotator who can continue. Prints their API token.
FILL = """
import json, django; django.setup()
from accounts.models import User
from accounts.tokens import issue_token
from studies.models import Study
from tests import factories
study = Study.objects.get(slug="colours")
study.help_contact, study.pay_basis, study.state = "The desk, extension 1", "By the hour", "running"
study.require_seen_through = False
study.save()
ada, lin = (factories.member(study, "annotator", username=name) for name in ("ada", "lin"))
factories.answer(ada, study)
factories.answer(lin, study)
print(json.dumps({"token": issue_token(ada, scopes=["read", "annotate"])}))
"""
#: The owner of the study into which the clips are imported.
OWNER = "import django; django.setup(); from accounts.models import User; User.objects.create_user('owner')"
CLIPS = {"red-left": "color=c=red", "red-right": "testsrc", "blue-left": "color=c=blue", "blue-right": "testsrc2"}


class Installation:
    """One installation: its folder, its environment, and the programs that run in it."""

    def __init__(self, name: str, folder: Path, **variables: str) -> None:
        self.name = f"diptych_{name}"
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.stack = ExitStack()
        self.make_database()
        composed = application_services(SECRET_KEY=f"key-of-{name}-" + "0123456789" * 6, ALLOWED_HOSTS=HOST)
        self.variables = environment(
            **composed["web"]["environment"]
            | {
                "DATABASE_URL": self.database_url,
                "REDIS_URL": servers.redis_url.removesuffix("/0") + f"/{BROKER_DATABASE}",
                "DIPTYCH_HOME": str(folder),
                "MEDIA_ROOT": str(folder / "media"),
                "STATIC_ROOT": str(folder / "static"),
                "IMPORT_ROOTS": str(folder / "imports"),
                "TMPDIR": str(folder / "scratch"),
                "GRANIAN_WORKERS": "1",
            }
            | variables
        )
        self.variables["PATH"] = f"{BIN}:{binaries.postgres_bin()}:{self.variables['PATH']}"
        (folder / "scratch").mkdir(exist_ok=True)

    @property
    def database_url(self) -> str:
        return servers.database_url.rpartition("/")[0] + f"/{self.name}"

    def make_database(self) -> None:
        with psycopg.connect(servers.database_url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {self.name}")

    def close(self) -> None:
        """End the programs and delete the database."""
        self.stack.close()
        with psycopg.connect(servers.database_url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")

    def run(self, command: str, cwd: Path = ROOT, **variables: str) -> str:
        """Run a command of the documentation or of a service in a shell. Return its output.

        Fails if the command fails.
        """
        ran = subprocess.run(
            ["sh", "-e", "-c", command],
            cwd=cwd,
            env=self.variables | variables,
            capture_output=True,
            text=True,
            timeout=180,
        )
        assert ran.returncode == 0, f"{command}: {ran.stdout}{ran.stderr}"
        return ran.stdout

    def python(self, program: str) -> str:
        """Run a program with this installation's settings."""
        variables = self.variables | {"DJANGO_SETTINGS_MODULE": "diptych.settings"}
        ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=variables, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    def start(self, name: str, command: list[str]) -> Guarded:
        running = Guarded(
            name,
            command,
            log=self.log(name),
            grace=3,
            environment=self.variables,
            cwd=ROOT,
        )
        self.stack.callback(running.stop)
        return running

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def start_service(self, name: str) -> Guarded:
        """Start a service of docker-compose.yml that does not listen on a port."""
        command = application_services()[name]["command"]
        schedule = str(self.folder / "celerybeat-schedule")
        return self.start(name, [schedule if word == "/tmp/celerybeat-schedule" else word for word in command])

    def start_web(self) -> int:
        """Start the image's own command. Return its port."""
        port = free_port()
        [command] = re.findall(r"^CMD (\[.*\])$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
        ours = {"0.0.0.0": "127.0.0.1", "8000": str(port)}
        self.start("web", [ours.get(word, word) for word in json.loads(command)])
        self.wait_until_healthy(port, "web")
        return port

    def start_nginx(self, program: str, web: int) -> int:
        """Start nginx with the configuration of the service, in front of the web server. Return its port."""
        port = free_port()
        text = (ROOT / "deploy/nginx-compose.conf").read_text()
        for said, meant in (
            ("/tmp/", f"{self.folder}/nginx-"),  # first, because the paths below may begin with it
            ("server web:8000;", f"server 127.0.0.1:{web};"),
            ("listen 8080;", f"listen 127.0.0.1:{port};"),
            ("/var/lib/diptych/media/", f"{self.variables['MEDIA_ROOT']}/"),
        ):
            assert said in text
            text = text.replace(said, meant)
        # In its container it runs as the owner of the media, not as root. Here that owner may be root.
        user = "user root;\n" if os.geteuid() == 0 else ""
        (self.folder / "nginx.conf").write_text(f"daemon off;\n{user}{text}")
        self.start("nginx", [program, "-c", str(self.folder / "nginx.conf")])
        self.wait_until_healthy(port, "nginx")
        return port

    def wait_until_healthy(self, port: int, name: str) -> None:
        wait_for(lambda: Visitor(port).status("/healthz") == 200, f"{name} did not start; see {self.log(name)}")

    def import_clips(self) -> None:
        """Import four short clips from the import folder, and prepare them with the service media-worker."""
        source = Path(self.variables["IMPORT_ROOTS"]) / "colours"
        for name, pattern in CLIPS.items():
            prompt, side = name.split("-")
            folder = source / prompt
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "prompt.txt").write_text(f"A {prompt} ball rolls past\n")
            options = "-hide_banner -loglevel error -y -f lavfi -i"
            clip = f"{pattern}{':' if '=' in pattern else '='}size=160x90:rate=12:duration=1"
            subprocess.run([binaries.ffmpeg(), *shlex.split(options), clip, folder / f"{side}.mp4"], check=True)
        self.python(OWNER)
        options = "--study colours --create --owner owner --overlap 3 --json"
        self.run(f"diptych-server import_study {source} {options}")
        with self.running("media-worker"):
            self.run("diptych-server media_progress --study colours --wait --json")

    @contextmanager
    def running(self, service: str) -> Iterator[Guarded]:
        worker = self.start_service(service)
        try:
            yield worker
        finally:
            worker.stop()

    def fill(self) -> str:
        """Make a study with media and answers. Return an annotator's API token."""
        self.import_clips()
        token: str = json.loads(self.python(FILL))["token"]
        return token


class Visitor:
    """A browser, or a program with a token, whose requests come through a proxy that terminates TLS."""

    def __init__(self, port: int, token: str = "") -> None:
        self.port = port
        self.headers = {"Host": HOST, "X-Forwarded-Proto": "https", "Referer": f"https://{HOST}/"}
        self.cookies: dict[str, str] = {}
        if token:
            self.headers["Authorization"] = f"Token {token}"

    def ask(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[http.client.HTTPResponse, bytes]:
        """Send one request. Return the response and its body."""
        sent = self.headers | {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)) as connection:
            connection.request(method, path, body, sent)
            response = connection.getresponse()
            content = response.read()
        for line in response.headers.get_all("Set-Cookie") or ():
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        return response, content

    def status(self, path: str, **headers: str) -> int:
        try:
            return self.ask("GET", path, **headers)[0].status
        except OSError:
            return 0

    def page(self, path: str) -> str:
        """Return a page, after its redirects."""
        for _ in range(5):
            response, content = self.ask("GET", path)
            if response.status not in {301, 302}:
                assert response.status == 200, (path, response.status, content[:300])
                return content.decode()
            path = urllib.parse.urlsplit(response.headers["Location"]).path
        raise AssertionError(f"too many redirects, the last to {path}")

    def send_form(self, path: str, **fields: str) -> http.client.HTTPResponse:
        """Fill in the form of a page and send it."""
        hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', self.page(path)))
        body = urllib.parse.urlencode(hidden | fields).encode()
        return self.ask("POST", path, body, Content_Type="application/x-www-form-urlencoded")[0]

    def api(self, method: str, path: str, body: Any = None) -> Any:
        """Send one request to the API and return its JSON. Fails if it is refused."""
        content = None if body is None else json.dumps(body).encode()
        response, said = self.ask(method, f"/api/v1/{path}", content, Content_Type="application/json")
        assert response.status < 300, (path, response.status, said[:500])
        return json.loads(said)
