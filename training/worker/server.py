"""The server as a worker sees it: requests about runs, releases and models."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from diptych_client import ClientError
from diptych_client.client import Client
from diptych_client.connection import Connection
from diptych_client.pulling import pull

Claimed = dict[str, Any]
#: For so many seconds a request is repeated while the server is away: for a beat, and for what must not be lost.
BEAT_PATIENCE_S, PATIENCE_S = 5.0, 900.0
#: Releases that are kept on the disk of the worker, the last used ones.
KEPT_RELEASES = 5


class TakenOver(Exception):
    """The claim of the run no longer holds."""


class RunCancelled(Exception):
    """Somebody cancelled the run."""


class Server:
    """A Diptych server, in the name of the owner of the token. Raises ClientError, TakenOver and RunCancelled."""

    def __init__(self, address: str, token: str) -> None:
        self.client = Client(address, token, patience_s=PATIENCE_S)
        self._beats = Connection(address, token, patience_s=BEAT_PATIENCE_S)

    @property
    def address(self) -> str:
        """Return the address of the server."""
        return self.client.connection.server

    def claim(self, offer: dict[str, Any]) -> Claimed | None:
        """Return a run to do, or None."""
        return _body(self._beats, "runs/claim/", offer)["run"]

    def report(self, run: Claimed, **about: Any) -> bool:
        """Keep the claim and send what is new. Return whether somebody cancelled the run."""
        path = "report" if about.keys() & {"points", "log", "preflight"} else "beat"
        return bool(self._of_run(self._beats, run, path, about)["cancelled"])

    def finish(self, run: Claimed, **about: Any) -> dict[str, Any]:
        """Say that the run is done. Return the version that it made."""
        return self._of_run(self.client.connection, run, "finish", about)

    def fail(self, run: Claimed, **about: Any) -> None:
        """Say that the run failed for good."""
        self._of_run(self.client.connection, run, "fail", about)

    def put_back(self, run: Claimed, *, trouble: str, counted: bool) -> str:
        """Give the claim up. Return the state of the run."""
        about = {"trouble": trouble, "counted": counted}
        return str(self._of_run(self.client.connection, run, "put-back", about)["state"])

    def upload(self, run: Claimed, path: str, file: Path) -> str:
        """Upload a file of the run. Return its SHA-256."""
        with file.open("rb") as opened:
            sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
        query = {"fence": run["fence"], "sha256": sha256}
        with _refusals():
            self.client.connection.upload(f"runs/{run['id']}/files/{quote(path)}", file, query=query)
        return sha256

    def pull(self, run: Claimed, folder: Path) -> Path:
        """Return the folder of the run's release. It is downloaded once, and checked each time."""
        digest = run["manifest_sha256"]
        target = folder / f"{digest[:32]}"
        folder.mkdir(parents=True, exist_ok=True)
        release = self.client.release(run["release_id"])
        stated = next((file["sha256"] for file in release["files"] if file["path"] == "manifest.json"), digest)
        if stated != digest:
            raise ClientError("The server states another manifest of the release than before.", "damaged")
        try:
            pull(self.client.connection, release, target)
        except ClientError as error:
            if error.code not in {"damaged", "not_empty"}:
                raise
            shutil.rmtree(target, ignore_errors=True)
            pull(self.client.connection, release, target)
        os.utime(target)
        keep_latest(folder, KEPT_RELEASES)
        return target

    def fetch_model(self, version: dict[str, Any], folder: Path) -> Path:
        """Download the files of a model version, and return its folder."""
        for file in version["files"]:
            target = folder / file["path"]
            target.parent.mkdir(parents=True, exist_ok=True)
            self.client.connection.repeat(partial(self._fetch, version["run"], file, target))
        return folder / "model"

    def _fetch(self, run_id: int, file: dict[str, Any], target: Path) -> None:
        digest = hashlib.sha256()
        with (
            self.client.connection.stream(f"runs/{run_id}/files/{quote(file['path'])}", {}) as response,
            target.open("wb") as written,
        ):
            for block in response.iter_raw():
                digest.update(block)
                written.write(block)
        if digest.hexdigest() != file["sha256"]:
            raise ClientError(f"The server sends other bytes of {file['path']} than it states.", "damaged")

    def _of_run(self, connection: Connection, run: Claimed, path: str, about: dict[str, Any]) -> dict[str, Any]:
        return _body(connection, f"runs/{run['id']}/{path}/", {"fence": run["fence"], **about})


@contextmanager
def _refusals() -> Iterator[None]:
    """Turn the refusals about claims into exceptions of their own."""
    try:
        yield
    except ClientError as error:
        if error.code == "taken_over" or error.status == 404:
            raise TakenOver from error
        if error.code == "cancelled":
            raise RunCancelled from error
        raise


def _body(connection: Connection, path: str, body: dict[str, Any]) -> dict[str, Any]:
    with _refusals():
        response: dict[str, Any] = connection.request("POST", path, body=body, is_repeatable=True).json()
        return response


def keep_latest(folder: Path, most: int) -> None:
    """Delete all but the last used folders in a folder."""
    found = [path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")]
    for path in sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)[most:]:
        shutil.rmtree(path, ignore_errors=True)
