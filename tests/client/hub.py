"""A stand-in for the HTTP interface of the Hugging Face Hub, as far as publishing a dataset needs it.

The live service cannot be asked in tests. The stand-in stores what is committed, and notes each request with the
settings of the dataset at that time.
"""

import base64
import hashlib
import json
import re
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.client.running import PROGRAM, Diptych

TOKEN = "hf_" + "a" * 34
#: Files of at least so many bytes are uploaded by themselves, before the commit.
LARGE_BYTES = 2_000


@dataclass(frozen=True)
class File:
    """A file of a commit: its bytes, and whether they were uploaded by themselves."""

    content: bytes
    is_large: bool

    def entry(self, path: str) -> dict[str, Any]:
        git = hashlib.sha1(b"blob %d\0%s" % (len(self.content), self.content)).hexdigest()
        entry = {"type": "file", "path": path, "size": len(self.content), "oid": git}
        if self.is_large:
            large = hashlib.sha256(self.content).hexdigest()
            entry["lfs"] = {"oid": large, "size": len(self.content), "pointerSize": 130}
        return entry


@dataclass
class Dataset:
    """A dataset: its settings, its commits with all files of each, and its tags."""

    private: bool = False
    gated: Any = False
    commits: list[dict[str, File]] = field(default_factory=lambda: [{}])
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def files(self) -> dict[str, File]:
        return self.commits[-1]

    @property
    def sha(self) -> str:
        return commit_id(len(self.commits) - 1)

    def at(self, revision: str) -> dict[str, File]:
        revision = self.tags.get(revision, revision)
        return self.files if revision == "main" else self.commits[int(revision, 16)]

    def contents(self, revision: str = "main") -> dict[str, bytes]:
        return {path: file.content for path, file in self.at(revision).items() if path != ".gitattributes"}


def commit_id(number: int) -> str:
    return f"{number:040x}"


class Hub:
    """The stand-in. `events` has what was asked for, with the settings that the dataset had then."""

    def __init__(self) -> None:
        self.datasets: dict[str, Dataset] = {}
        self.large: dict[str, bytes] = {}
        self.events: list[tuple[str, bool, Any]] = []
        #: Called before each large file is stored.
        self.before_large: Callable[[], object] = lambda: None
        self.lock = threading.Lock()
        hub = self

        class Handler(_Handler):
            def respond(self) -> Any:
                return hub.respond(self)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda _request, _address: None  # a killed client breaks its connections
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    def respond(self, request: "_Handler") -> Any:
        path = request.path.partition("?")[0]
        if request.headers.get("Authorization") != f"Bearer {TOKEN}" and not path.startswith("/large/"):
            return 401, {"error": "Invalid credentials in Authorization header"}
        for pattern, method in ROUTES:
            if found := re.fullmatch(pattern, f"{request.command} {path}"):
                with self.lock if "large_upload" not in method else _nothing():
                    return getattr(self, method)(request, *found.groups())
        return 404, {"error": f"The stand-in does not know {request.command} {path}"}

    def note(self, name: str, what: str) -> None:
        self.events.append((what, self.datasets[name].private, self.datasets[name].gated))

    def create(self, request: "_Handler") -> Any:
        asked = request.json()
        name = f"{asked['organization']}/{asked['name']}"
        if asked["organization"] == "others":
            return 403, {"error": "You don't have the rights to create a dataset under the namespace others"}
        address = f"{self.address}/datasets/{name}"
        if name in self.datasets:
            return 409, {"url": address, "error": "You already created this dataset repo"}
        is_private = asked.get("private") or asked.get("visibility") == "private"
        self.datasets[name] = Dataset(private=bool(is_private), commits=[{".gitattributes": File(b"*.tar lfs", False)}])
        self.note(name, "create")
        return 200, {"url": address, "name": name}

    def settings(self, request: "_Handler", name: str) -> Any:
        asked, dataset = request.json(), self.datasets[name]
        dataset.gated = asked.get("gated", dataset.gated)
        if "visibility" in asked:
            dataset.private = asked["visibility"] == "private"
        self.note(name, "settings")
        return 200, {}

    def refs(self, request: "_Handler", name: str) -> Any:
        tags = [
            {"name": tag, "ref": f"refs/tags/{tag}", "targetCommit": commit}
            for tag, commit in self.datasets[name].tags.items()
        ]
        return 200, {"branches": [], "converts": [], "tags": tags}

    def info(self, request: "_Handler", name: str) -> Any:
        if name not in self.datasets:
            return 404, {"error": "Repository not found"}
        dataset = self.datasets[name]
        files = [{"rfilename": path} for path in dataset.files]
        about = {"id": name, "sha": dataset.sha, "private": dataset.private, "gated": dataset.gated, "tags": []}
        return 200, about | {"siblings": files, "downloads": 0, "likes": 0}

    def tree(self, request: "_Handler", name: str, revision: str) -> Any:
        files = self.datasets[name].at(revision)
        folders = {path.rpartition("/")[0] for path in files if "/" in path}
        listed = [{"type": "directory", "path": folder, "size": 0, "oid": "0" * 40} for folder in sorted(folders)]
        return 200, listed + [file.entry(path) for path, file in sorted(files.items())]

    def before(self, request: "_Handler", name: str) -> Any:
        files = [
            {
                "path": one["path"],
                "uploadMode": "lfs" if one["size"] >= LARGE_BYTES else "regular",
                "shouldIgnore": False,
            }
            for one in request.json()["files"]
        ]
        for file in files:
            if present := self.datasets[name].files.get(file["path"]):
                entry = present.entry(file["path"])
                file["oid"] = entry.get("lfs", entry)["oid"]
        return 200, {"files": files}

    def batch(self, request: "_Handler", name: str) -> Any:
        objects = []
        for one in request.json()["objects"]:
            known = {"oid": one["oid"], "size": one["size"]}
            upload = {"actions": {"upload": {"href": f"{self.address}/large/{one['oid']}"}}}
            objects.append(known if one["oid"] in self.large else known | upload)
        return 200, {"transfer": "basic", "objects": objects}

    def large_upload(self, request: "_Handler", digest: str) -> Any:
        self.before_large()
        content = request.content()
        assert hashlib.sha256(content).hexdigest() == digest
        self.large[digest] = content
        return 200, {}

    def commit(self, request: "_Handler", name: str) -> Any:
        dataset = self.datasets[name]
        files = dict(dataset.files)
        for line in request.content().splitlines():
            operation = json.loads(line)
            value = operation["value"]
            if operation["key"] == "file":
                files[value["path"]] = File(base64.b64decode(value["content"]), False)
            elif operation["key"] == "lfsFile":
                files[value["path"]] = File(self.large[value["oid"]], True)
            elif operation["key"] == "deletedFile":
                del files[value["path"]]
        dataset.commits.append(files)
        self.note(name, "commit")
        address = f"{self.address}/datasets/{name}/commit/{dataset.sha}"
        return 200, {"success": True, "commitOid": dataset.sha, "commitUrl": address}

    def tag(self, request: "_Handler", name: str, revision: str) -> Any:
        self.datasets[name].tags[request.json()["tag"]] = revision
        self.note(name, "tag")
        return 200, {}

    def resolve(self, request: "_Handler", name: str, revision: str, path: str) -> Any:
        dataset = self.datasets[name]
        content = dataset.at(revision)[path].content
        tag = hashlib.sha1(content).hexdigest()
        return 200, content, {"ETag": f'"{tag}"', "X-Repo-Commit": dataset.sha}

    def validate(self, request: "_Handler") -> Any:
        return 200, {"errors": [], "warnings": []}


NAME = r"([\w.-]+/[\w.-]+)"
ROUTES = [
    (r"POST /api/repos/create", "create"),
    (r"POST /api/validate-yaml", "validate"),
    (rf"PUT /api/datasets/{NAME}/settings", "settings"),
    (rf"GET /api/datasets/{NAME}/refs", "refs"),
    (rf"GET /api/datasets/{NAME}/tree/([\w-]+)", "tree"),
    (rf"GET /api/datasets/{NAME}(?:/revision/main)?", "info"),
    (rf"POST /api/datasets/{NAME}/preupload/main", "before"),
    (rf"POST /datasets/{NAME}\.git/info/lfs/objects/batch", "batch"),
    (r"PUT /large/(\w+)", "large_upload"),
    (rf"POST /api/datasets/{NAME}/commit/main", "commit"),
    (rf"POST /api/datasets/{NAME}/tag/(\w+)", "tag"),
    (rf"(?:GET|HEAD) /datasets/{NAME}/resolve/(\w+)/(.+)", "resolve"),
]


@contextmanager
def _nothing() -> Iterator[None]:
    yield


class _Handler(BaseHTTPRequestHandler):
    """One request. `respond` returns the status, and JSON, or bytes with headers."""

    protocol_version = "HTTP/1.1"

    def respond(self) -> Any:
        raise NotImplementedError

    def content(self) -> bytes:
        return self.body

    def read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            whole = b""
            while size := int(self.rfile.readline(), 16):
                whole += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return whole
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def json(self) -> Any:
        return json.loads(self.content())

    def handle_one(self) -> None:
        self.body = self.read_body()
        status, body, *more = self.respond()
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = more[0] if more else {"Content-Type": "application/json"}
        if status >= 400:
            headers |= {"X-Error-Message": body["error"]}
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_HEAD = do_POST = do_PUT = handle_one

    def log_message(self, format: str, *arguments: Any) -> None:
        """Print nothing."""


@contextmanager
def running_hub() -> Iterator[Hub]:
    """Yield the stand-in while it responds."""
    hub = Hub()
    thread = threading.Thread(target=hub.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.server.shutdown()
        hub.server.server_close()
        thread.join()


class Publisher(Diptych):
    """The command of somebody who is signed in at the stand-in.

    It runs in a process of its own: the library of the Hub reads its settings when it is loaded.
    """

    def run(self, *words: str, said: str = "", **variables: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [PROGRAM, *words],
            cwd=self.folder,
            env=self.variables | variables,
            input=said,
            capture_output=True,
            text=True,
            timeout=120,
        )


def publisher(diptych: Diptych, hub: Hub) -> Publisher:
    """Sign somebody in at the stand-in. Return their command."""
    diptych.variables |= {"HF_ENDPOINT": hub.address, "HF_TOKEN": TOKEN}
    made = Publisher(diptych.folder)
    made.variables = diptych.variables
    return made
