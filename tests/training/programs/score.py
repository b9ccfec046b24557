"""A program that "scores": the score of a video is the number of its frames, and its cost the length of its prompt."""

import argparse
import json
from pathlib import Path

parser = argparse.ArgumentParser()
for name in ("--model", "--items", "--out"):
    parser.add_argument(name, type=Path, required=True)
options = parser.parse_args()
assert (options.model / "model.json").exists()
with options.out.open("w") as out:
    for line in options.items.read_text().splitlines():
        item = json.loads(line)
        assert all(Path(path).read_bytes().startswith(b"\xff\xd8") for path in item["frames"])
        scores = {"helpfulness": float(len(item["frames"])), "cost": float(len(item["prompt"]))}
        out.write(json.dumps({"id": item["id"], "scores": scores}) + "\n")
print(json.dumps({"event": "done", "metrics": []}), flush=True)
