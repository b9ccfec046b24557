"""Write the files of an external release folder. The same records give the same bytes."""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

#: `json.dumps` with options makes an encoder for each call.
ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode


class FolderWriter:
    """A new release folder. `files` has what its manifest states of each file that was written."""

    def __init__(self, root: Path, kind: str) -> None:
        self.root, self.kind = root, kind
        self.files: list[dict[str, Any]] = []
        root.mkdir(parents=True, exist_ok=True)

    def add(self, path: str, records: Iterable[Mapping[str, Any]]) -> None:
        """Write a file with one JSON object per line. It has its name when it is complete. Raise OSError."""
        digest, size = hashlib.sha256(), 0
        aside = self.root / f".{path}.part"
        with aside.open("wb") as file:
            for record in records:
                line = _line(record)
                digest.update(line)
                size += len(line)
                file.write(line)
        os.replace(aside, self.root / path)
        self.files.append({"path": path, "kind": self.kind, "sha256": digest.hexdigest(), "bytes": size})

    def end(self, path: str, manifest: Mapping[str, Any]) -> dict[str, Any]:
        """Write the manifest, with the files, and return it. A folder without it is not complete. Raise OSError."""
        whole = {**manifest, "files": sorted(self.files, key=lambda file: file["path"])}
        aside = self.root / f".{path}.part"
        aside.write_text(json.dumps(whole, ensure_ascii=False, indent=2, sort_keys=True) + "\n", "utf-8")
        os.replace(aside, self.root / path)
        return whole


def _line(record: Mapping[str, Any]) -> bytes:
    return (ENCODE(record) + "\n").encode()
