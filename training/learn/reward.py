"""Train a reward model, or a cost model (target harmlessness), on the preferences of a release.

python -m training.learn.reward --release my-study-1 --out run-1 --targets helpfulness harmlessness --seeds 3
"""

import sys
import time
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from diptych_client.release_folder.vocabulary import QUESTIONS
from training.learn import evaluate_preferences, events, inputs, large, loop, models
from training.learn.checkpoints import Checkpoint
from training.learn.data import MISSING, TIE, TRAIN
from training.learn.events import REFUSED, Failed, StopSignal, emit
from training.learn.heads import ProductHead
from training.learn.inputs import Scored
from training.learn.options import LARGE, RewardOptions, parse


class Preferences:
    """How many people preferred which video of each pair, for training and validation (`loop.Task`).

    Attributes:
        rows: (n,) the pair of each row.
        prompt, clip: (n,) and (n, 2) rows of the inputs.
        counts: (n, targets, 3) answers for video 0, for video 1, and ties.
        answers: mean number of answers of a training row, over all targets.
        ties: (targets,) 1 where ties are an outcome of their own.
    """

    def __init__(self, given: Scored, options: RewardOptions) -> None:
        self.given: Any = given
        self.penalty = options.score_penalty
        tables, policy = given.tables, options.policy
        part = tables.parts_of(tables.pair_prompt, options.seed)
        clip = given.found.clip[tables.pair_videos]  # (pairs, 2)
        is_used = np.isin(part, (TRAIN, -1)) & (clip >= 0).all(1)
        for name in ("same_frames", "contradictions", "swapped"):
            if policy[name] == "drop":
                is_used &= ~getattr(given.checked, name)
        counts = counted(given, options.targets, weighted=options.reliability)
        if policy["ties"] == "half":
            counts[..., :2] += counts[..., 2:] / 2
        if policy["ties"] != "model":
            counts[..., 2] = 0
        counts[..., :2] += options.smoothing * (counts.sum(-1, keepdims=True) > 0)
        is_used &= counts.sum((1, 2)) > 0
        self.rows = np.flatnonzero(is_used)
        if not (part[self.rows] == TRAIN).any():
            raise Failed("too_small", f"No training pair has an answer to {', '.join(options.targets)}.", REFUSED)
        self.prompt = torch.from_numpy(tables.pair_prompt[self.rows].astype(np.int64))
        self.clip = torch.from_numpy(clip[self.rows])
        self.counts = torch.from_numpy(counts[self.rows])
        self.training = torch.from_numpy(np.flatnonzero(part[self.rows] == TRAIN))
        self.validating = torch.from_numpy(np.flatnonzero(part[self.rows] == -1))
        self.ties = (self.counts[self.training, :, 2].sum(0) > 0).float()
        self.has_ties = bool(self.ties.any())
        self.answers = float(self.counts[self.training].sum() / len(self.training))

    def loss(self, head: ProductHead, rows: Tensor) -> Tensor:
        """Return the mean negative log-likelihood of an answer, plus a penalty on large scores."""
        prompt = self.given.prompts[self.prompt[rows]]  # (B, D)
        clip = self.given.clips[self.clip[rows]]  # (B, 2, E)
        scores = head(torch.cat([prompt, prompt]), torch.cat([clip[:, 0], clip[:, 1]])).view(
            2, len(rows), -1
        )  # (2, B, K)
        likelihood = self.likelihood(scores, head.eta, rows)
        return -likelihood.sum() / self.counts[rows].sum() + self.penalty * scores.square().mean()

    def likelihood(self, scores: Tensor, eta: Tensor, rows: Tensor) -> Tensor:
        """Return the summed log-likelihood of the answers of each row: (B, K) of scores (2, B, K)."""
        counts = self.counts[rows].to(scores.device)  # (B, K, 3)
        difference = scores[1] - scores[0]  # (B, K)
        if self.has_ties:
            return (counts * log_chances(difference, F.softplus(eta) * self.ties.to(scores.device))).sum(-1)
        # Bradley and Terry's model: the same, in a third of the operations
        return counts[..., 0] * F.logsigmoid(-difference) + counts[..., 1] * F.logsigmoid(difference)

    def names(self, rows: Tensor) -> list[str]:
        """Return the published ids of these pairs."""
        return [self.given.tables.pair_ids[int(self.rows[row])] for row in rows]


def log_chances(difference: Tensor, eta: Tensor) -> Tensor:
    """Return the logarithms of the chances of video 0, video 1 and a tie, by Rao and Kupper: (…, 3).

    P(1) = σ(d − η), P(0) = σ(−d − η), P(tie) = (e^{2η} − 1) · P(1) · P(0). Where η is 0 this is Bradley and Terry's
    model; there are no ties then, and 0 stands for their logarithm.
    """
    one, zero = F.logsigmoid(difference - eta), F.logsigmoid(-difference - eta)
    factor = torch.where(eta > 0, torch.expm1(2 * eta).clamp(min=1e-12), 1.0).log()
    tie = torch.where(eta > 0, factor + one + zero, 0.0)
    return torch.stack([zero, one, tie], -1)


def counted(given: Scored, targets: tuple[str, ...], *, weighted: bool) -> np.ndarray:
    """Return (pairs, targets, 3) float32: answers for video 0, for video 1, and ties."""
    tables = given.tables
    counts = np.zeros((len(tables.pair_ids), len(targets), TIE + 1), np.float32)
    for place, target in enumerate(targets):
        column = QUESTIONS.index(target)
        said, weight = tables.answer_choice[:, column], tables.answer_weight[:, column]
        is_there = said != MISSING
        at = (tables.answer_pair[is_there], place, said[is_there])
        np.add.at(counts, at, weight[is_there] if weighted else 1)
    return counts


def train(options: RewardOptions, stop: StopSignal) -> None:
    """Train, evaluate and write the run folder. Raise Failed and Stopped."""
    began = time.monotonic()
    checkpoint = Checkpoint(options.out, inputs.start(options))
    if not options.resume:
        checkpoint.remove()
    prepare = large.prepare if options.backbone in LARGE else inputs.prepare
    given: Any = prepare(options, options.targets, stop)
    task = Preferences(given, options)
    about = {"model": "reward", "targets": options.targets, "backbone": options.backbone, "seed": options.seed}
    emit("started", steps=loop.most_steps(len(task.training), options), **about)
    fit = large.fit if options.backbone in LARGE else models.fit
    model = fit("reward", options.targets, task, given, options, checkpoint, stop, ties=task.ties.tolist())
    if not events.is_first():
        return
    rows = evaluate_preferences.write(model, given, options.out, options.seed)
    model.save(options.out / "model", rows)
    inputs.finish(options, began)
    emit("done", metrics=rows)


def main(arguments: list[str] | None = None) -> int:
    """Run the program. Return its exit code."""
    options = parse(RewardOptions, arguments, __doc__.splitlines()[0], "reward")
    return events.run(lambda: train(options, StopSignal()), shared=options.backbone in LARGE)


if __name__ == "__main__":
    sys.exit(main())
