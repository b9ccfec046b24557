"""Publish a release folder as a dataset of the Hugging Face Hub. Needs the extra `publish`.

Until a first release is complete there, the dataset is private and people have to ask for access. The tag of a release
is set after its last commit, so what has a tag is complete. Whoever is interrupted runs it again.
"""

import glob
import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import httpx2

from diptych_client.errors import ClientError
from diptych_client.release_folder import Release
from diptych_client.release_folder.folder import MANIFEST

try:
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalTokenNotFoundError, OfflineModeIsEnabled
    from huggingface_hub.hf_api import RepoFile
except ModuleNotFoundError as error:
    sentence = "Publishing needs a package that is not installed. Install it: pip install 'diptych-client[publish]'"
    raise ClientError(sentence, "usage") from error

KIND = "dataset"
README = "README.md"
#: Files of the Hub itself.
OF_HUB = frozenset({".gitattributes"})
INTERNAL = "LicenseRef-Internal"
TAG = "release-{}"
Gate = Literal["manual", "auto", "off"]


@dataclass(frozen=True, slots=True)
class Published:
    """Where a release is: the dataset, its address, the tag, and the commit that the tag names."""

    repo: str
    address: str
    tag: str
    commit: str


def publish(
    folder: Path,
    repo: str,
    *,
    gate: Gate | None = None,
    public: bool = False,
    say: Callable[[str], object] = lambda _sentence: None,
) -> Published:
    """Upload a release folder to the dataset `repo`, such as `lab/my-study`, and tag it with the release number.

    `gate` says who decides about requests for access: `manual` (you), `auto` (everybody who agrees gets it), or `off`.
    By default it is `manual` for a new dataset, and stays as it is otherwise. `public` opens the dataset at the end.

    Raises:
        ClientError: the release should not be published, the dataset has something else, or the Hub refuses.
        FolderError: the folder is no release.
    """
    release = Release.open(folder)
    _require_publishable(release)
    if release.manifest["with_comments"]:
        say("This release has comments, which can name people. Read them before you show it to others.")
    hub = _Hub(HfApi(), repo, release, say)
    with _hub_errors(repo):
        commit = hub.upload(gate)
        if public:
            hub.settings(private=False)
    return Published(repo, f"{hub.api.endpoint}/datasets/{repo}", hub.tag, commit)


def _require_publishable(release: Release) -> None:
    """Raise ClientError for a release that must not, or cannot, be published."""
    if release.is_external:
        sentence = f"{release.root} was made of a published dataset. Publish only releases of your own studies."
        raise ClientError(sentence, "not_publishable")
    if release.licence == INTERNAL:
        sentence = f"The licence {INTERNAL} says that nobody outside gets this release. Make one with another licence."
        raise ClientError(sentence, "not_publishable")
    if release.manifest["with_weights"]:
        sentence = "This release has weights, which show how reliable each annotator is. Make one without weights."
        raise ClientError(sentence, "not_publishable")
    if not any(file["path"] == README for file in release.manifest["files"]):
        sentence = f"{release.root} has no {README}. Make the release with the format huggingface."
        raise ClientError(sentence, "not_publishable")
    if wrong := release.check():
        sentence = f"In {release.root} these files have other bytes than the manifest states: {', '.join(wrong[:5])}."
        raise ClientError(f"{sentence} Delete the folder and download it again.", "damaged")


class _Hub:
    """The dataset on the Hub, and the release that goes there."""

    def __init__(self, api: HfApi, repo: str, release: Release, say: Callable[[str], object]) -> None:
        self.api, self.repo, self.release, self.say = api, repo, release, say
        self.tag = TAG.format(release.manifest["release"])

    def settings(self, **values: Any) -> None:
        """Change settings of the dataset."""
        self.api.update_repo_settings(self.repo, repo_type=KIND, **values)

    def upload(self, gate: Gate | None) -> str:
        """Upload what is missing, and set the tag. Return the commit that it names."""
        self.api.create_repo(self.repo, repo_type=KIND, private=True, exist_ok=True)
        tags = {tag.name: tag.target_commit for tag in self.api.list_repo_refs(self.repo, repo_type=KIND).tags}
        self._require_own()
        is_new = not any(name.startswith(TAG.format("")) for name in tags)
        if gate or is_new:
            asked = gate or "manual"
            self.settings(gated=False if asked == "off" else asked, **({"private": True} if is_new else {}))
        if self.tag in tags:
            if self._differences(tags[self.tag]):
                sentence = (
                    f"The tag {self.tag} of {self.repo} has other files than this release. Choose another --repo."
                )
                raise ClientError(sentence, "not_empty")
            self.say(f"{self.repo} has release {self.release.manifest['release']} already.")
            return str(tags[self.tag])
        return self._upload_and_tag()

    def _upload_and_tag(self) -> str:
        number, path = self.release.manifest["release"], self.release.root / MANIFEST
        self.say(f"Uploading {len(self.release.manifest['files']) + 1} files to {self.repo}")
        about: dict[str, Any] = {"repo_id": self.repo, "repo_type": KIND}
        # First of all, so that whoever continues knows what is begun there.
        self.api.upload_file(
            path_or_fileobj=path, path_in_repo=MANIFEST, commit_message=f"Begin release {number}", **about
        )
        self.api.upload_folder(
            folder_path=self.release.root,
            ignore_patterns=[glob.escape(path) for path in self._others()],
            delete_patterns="*",
            commit_message=f"Release {number}",
            **about,
        )
        # The uploads may be several commits, so the last one is asked for.
        commit = str(self.api.repo_info(self.repo, repo_type=KIND).sha)
        if wrong := self._differences(commit):
            sentence = f"{self.repo} has not the bytes of the release in {', '.join(wrong[:5])}. Run the command again."
            raise ClientError(sentence, "damaged")
        self.api.create_tag(self.repo, tag=self.tag, revision=commit, repo_type=KIND)
        return commit

    def _others(self) -> list[str]:
        """Return the paths of files in the folder that are not of the release."""
        root, own = self.release.root, {MANIFEST, *(file["path"] for file in self.release.manifest["files"])}
        return [
            path.relative_to(root).as_posix()
            for path in root.rglob("*")
            if path.is_file() and path.relative_to(root).as_posix() not in own
        ]

    def _require_own(self) -> None:
        """Raise ClientError unless the dataset is empty, or has releases of the same study."""
        paths = set(self.api.list_repo_files(self.repo, repo_type=KIND)) - OF_HUB
        if not paths:
            return
        study = None
        if MANIFEST in paths:
            with tempfile.TemporaryDirectory() as aside:
                path = self.api.hf_hub_download(self.repo, MANIFEST, repo_type=KIND, local_dir=aside)
                study = json.loads(Path(path).read_text("utf-8")).get("study")
        if study != self.release.manifest["study"]:
            sentence = f"{self.repo} has files that are no release of the study {self.release.manifest['study']}."
            raise ClientError(f"{sentence} Choose another --repo.", "not_empty")

    def _differences(self, commit: str) -> list[str]:
        """Return the paths whose bytes at a commit are not those of the release, and paths that it does not have."""
        wanted = {file["path"]: file["sha256"] for file in self.release.manifest["files"]}
        wanted[MANIFEST] = _digest(self.release.root / MANIFEST, "sha256")
        there = {
            entry.path: entry
            for entry in self.api.list_repo_tree(self.repo, repo_type=KIND, recursive=True, revision=commit)
            if isinstance(entry, RepoFile) and entry.path not in OF_HUB
        }
        same = {
            path
            for path, entry in there.items()
            if path in wanted
            and (entry.lfs.sha256 == wanted[path] if entry.lfs else entry.blob_id == _git_id(self.release.root / path))
        }
        return sorted((wanted.keys() | there.keys()) - same)


def _digest(path: Path, algorithm: str, head: bytes = b"") -> str:
    with path.open("rb") as file:
        digest = hashlib.new(algorithm, head, usedforsecurity=False)
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _git_id(path: Path) -> str:
    """Return the id that git gives to the bytes of a file."""
    return _digest(path, "sha1", f"blob {path.stat().st_size}\0".encode())


@contextmanager
def _hub_errors(repo: str) -> Iterator[None]:
    """Turn errors of the Hub and of its library into ClientError."""
    try:
        yield
    except LocalTokenNotFoundError as error:
        sentence = "You are not signed in at the Hugging Face Hub. Set HF_TOKEN, or run: hf auth login"
        raise ClientError(sentence, "not_signed_in") from error
    except HFValidationError as error:
        raise ClientError(f"{repo} is no name of a dataset. Write OWNER/NAME.", "usage") from error
    except HfHubHTTPError as error:
        status = error.response.status_code
        said = error.server_message or str(error).splitlines()[0]
        raise ClientError(
            f"The Hub refused (status {status}) for {repo}: {said}", "hub_refused", status=status
        ) from error
    except (httpx2.TransportError, OfflineModeIsEnabled, RuntimeError) as error:  # RuntimeError: a file broke off
        sentence = f"The Hugging Face Hub cannot be reached ({error}). Check your network, and run the command again."
        raise ClientError(sentence, "unreachable") from error
