"""A program that "evaluates" a model: it checks that the model is there, and writes metrics and predictions."""

import argparse
import json
from pathlib import Path


def main():
    parser = argparse.ArgumentParser()
    for name in ("--release", "--model", "--out"):
        parser.add_argument(name, type=Path, required=True)
    options = parser.parse_args()
    json.loads((options.model / "model.json").read_text())
    metrics = [{"target": "helpfulness", "figure": "agreement", "part": "test", "value": 0.7, "n": 200}]
    (options.out / "metrics.json").write_text(json.dumps(metrics))
    (options.out / "predictions.parquet").write_bytes(b"PAR1")
    print(json.dumps({"event": "done", "metrics": metrics}), flush=True)


if __name__ == "__main__":
    main()
