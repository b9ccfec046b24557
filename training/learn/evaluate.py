"""Score an existing model against the test part of a release: metrics.json and predictions.parquet.

python -m training.learn.evaluate --release my-study-1 --model run-1/model --out evaluation-1
"""

import sys
import time

from training.learn import evaluate_preferences, evaluate_tags, events, inputs
from training.learn.data import TEST
from training.learn.events import REFUSED, Failed, StopSignal, emit
from training.learn.loading import load
from training.learn.options import EvaluateOptions, parse


def evaluate(options: EvaluateOptions, stop: StopSignal) -> None:
    """Evaluate a model on a release. Raise Failed and Stopped."""
    began = time.monotonic()
    model = load(options.model, options.backbone_path)
    seed = model.about["seeds"][0]
    inputs.start(options)
    targets = model.targets if model.kind == "reward" else ()
    emit("started", steps=0, model=model.kind, targets=list(targets), backbone=model.about["backbone"], seed=seed)
    given = model.prepare(options, targets, stop)
    if not (given.tables.prompt_part == TEST).any():
        raise Failed("too_small", "The release has no prompts in the part test.", REFUSED)
    kind = evaluate_preferences if model.kind == "reward" else evaluate_tags
    rows = kind.write(model, given, options.out, seed)
    inputs.finish(options, began)
    emit("done", metrics=rows)


def main(arguments: list[str] | None = None) -> int:
    """Run the program. Return its exit code."""
    options = parse(EvaluateOptions, arguments, __doc__.splitlines()[0], "evaluate")
    return events.run(lambda: evaluate(options, StopSignal()))


if __name__ == "__main__":
    sys.exit(main())
