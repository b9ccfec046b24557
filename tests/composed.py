"""Read docker-compose.yml with Docker Compose itself. The program comes as a wheel and needs no engine."""

import json
import subprocess
from functools import cache
from typing import Any

from tests.production import BIN, ROOT, environment

#: The settings that .env.example requires.
FILLED_IN = {
    "SECRET_KEY": "a-key",
    "ALLOWED_HOSTS": "annotate.example.org",
    "POSTGRES_PASSWORD": "of-postgres",
    "VALKEY_PASSWORD": "of-valkey",
}


def compose(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run Docker Compose on the repository's file, with these variables and without a .env file."""
    command = [str(BIN / "docker-compose"), "--env-file", "/dev/null", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=environment(**variables), capture_output=True, text=True, timeout=60, check=False
    )


def configuration(**variables: str) -> dict[str, Any]:
    """Return the file with all variables filled in."""
    return _configuration(tuple(sorted((FILLED_IN | variables).items())))


@cache
def _configuration(variables: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    ran = compose("config", "--format", "json", **dict(variables))
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def application_services(**variables: str) -> dict[str, Any]:
    """Return the services that run the image of the product."""
    services = configuration(**variables)["services"]
    return {name: service for name, service in services.items() if service["image"].startswith("diptych:")}
