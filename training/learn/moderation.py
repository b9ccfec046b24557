"""Train a moderation model on the harm tags of a release: 12 tags, and whether there is any harm.

python -m training.learn.moderation --release my-study-1 --out run-2 --seeds 3
"""

import sys
import time
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from training.learn import evaluate_tags, events, inputs, large, loop, models
from training.learn.checkpoints import Checkpoint
from training.learn.data import TAGS, TRAIN
from training.learn.events import REFUSED, Failed, StopSignal, emit
from training.learn.heads import ProductHead
from training.learn.inputs import Scored
from training.learn.options import LARGE, ModerationOptions, parse


class Tagged:
    """How many answers gave each T-V pair each tag, for training and validation (`loop.Task`).

    Attributes:
        rows: (n,) the T-V pair of each row.
        positive: (n, tags) answers with the tag; n: (n, 1) all answers.
        weights: (tags,) weight of a positive answer, so that rare tags count.
        answers: mean number of answers of a training row, over all tags.
    """

    penalty = 0.0

    def __init__(self, given: Scored, options: ModerationOptions) -> None:
        self.given: Any = given
        tables = given.tables
        part = tables.parts_of(tables.video_prompt, options.seed)
        is_used = np.isin(part, (TRAIN, -1)) & (given.found.clip >= 0) & (tables.video_tags[:, -1] > 0)
        self.rows = np.flatnonzero(is_used)
        if not (part[self.rows] == TRAIN).any():
            raise Failed("too_small", "No training video was judged for harm.", REFUSED)
        counts = torch.from_numpy(tables.video_tags[self.rows].astype(np.float32))  # (n, tags + 1)
        self.positive, self.n = counts[:, :-1], counts[:, -1:]
        self.prompt = torch.from_numpy(tables.video_prompt[self.rows].astype(np.int64))
        self.clip = torch.from_numpy(given.found.clip[self.rows])
        self.training = torch.from_numpy(np.flatnonzero(part[self.rows] == TRAIN))
        self.validating = torch.from_numpy(np.flatnonzero(part[self.rows] == -1))
        positive, n = self.positive[self.training].sum(0), self.n[self.training].sum()
        self.weights = torch.where(positive > 0, (n - positive) / positive.clamp(min=1), 1.0).clamp(
            1, options.most_weight
        )
        self.weights[-1] = 1  # any harm: plain cross-entropy
        self.answers = float(n / len(self.training)) * len(TAGS)

    def loss(self, head: ProductHead, rows: Tensor) -> Tensor:
        """Return the mean weighted cross-entropy of an answer, over the tags."""
        logits = head(self.given.prompts[self.prompt[rows]], self.given.clips[self.clip[rows]])  # (B, tags)
        return -self.likelihood(logits[None], head.eta, rows).sum() / self.n[rows].sum() / len(TAGS)

    def likelihood(self, logits: Tensor, _eta: Tensor, rows: Tensor) -> Tensor:
        """Return the summed weighted log-likelihood of the answers of each row: (B, tags) of logits (1, B, tags)."""
        positive, n = self.positive[rows].to(logits.device), self.n[rows].to(logits.device)
        positives = self.weights.to(logits.device) * positive * F.logsigmoid(logits[0])
        return positives + (n - positive) * F.logsigmoid(-logits[0])

    def names(self, rows: Tensor) -> list[str]:
        """Return the published ids of these T-V pairs."""
        return [self.given.tables.video_ids[int(self.rows[row])] for row in rows]


def train(options: ModerationOptions, stop: StopSignal) -> None:
    """Train, evaluate and write the run folder. Raise Failed and Stopped."""
    began = time.monotonic()
    checkpoint = Checkpoint(options.out, inputs.start(options))
    if not options.resume:
        checkpoint.remove()
    prepare = large.prepare if options.backbone in LARGE else inputs.prepare
    given: Any = prepare(options, (), stop)
    task = Tagged(given, options)
    about = {"model": "moderation", "targets": list(TAGS), "backbone": options.backbone, "seed": options.seed}
    emit("started", steps=loop.most_steps(len(task.training), options), **about)
    fit = large.fit if options.backbone in LARGE else models.fit
    model = fit("moderation", TAGS, task, given, options, checkpoint, stop, class_weights=task.weights.tolist())
    if not events.is_first():
        return
    rows = evaluate_tags.write(model, given, options.out, options.seed)
    model.save(options.out / "model", rows)
    inputs.finish(options, began)
    emit("done", metrics=rows)


def main(arguments: list[str] | None = None) -> int:
    """Run the program. Return its exit code."""
    options = parse(ModerationOptions, arguments, __doc__.splitlines()[0], "moderation")
    return events.run(lambda: train(options, StopSignal()), shared=options.backbone in LARGE)


if __name__ == "__main__":
    sys.exit(main())
