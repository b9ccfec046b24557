"""Get the videos of a scoring run as files, as the program `score` reads them."""

import base64
import json
from pathlib import Path

from training.worker.server import Claimed, Server


def fetch(server: Server, run: Claimed, folder: Path) -> Path:
    """Write the frames and `items.jsonl` below the folder. Return the path of `items.jsonl`. Raise ClientError."""
    folder.mkdir(parents=True, exist_ok=True)
    after: int | None = 0
    count = 0
    with (folder / "items.jsonl").open("w", encoding="utf-8") as listed:
        while after is not None:
            page = server.client.connection.request("GET", f"runs/{run['id']}/items/", query={"after": after}).json()
            for item in page["items"]:
                paths = []
                for number, frame in enumerate(item["frames"]):
                    path = folder / f"{count}-{number}.jpg"  # never a name from the server
                    path.write_bytes(base64.b64decode(frame))
                    paths.append(str(path.absolute()))
                listed.write(json.dumps({"id": item["id"], "prompt": item["prompt"], "frames": paths}) + "\n")
                count += 1
            after = page["next"]
    return folder / "items.jsonl"
