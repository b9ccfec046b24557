"""The training loop of `small` and `embed`: AdamW, early stopping on validation clusters, checkpoints."""

import copy
import math
from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from training.learn.checkpoints import Checkpoint
from training.learn.events import NOT_FINITE, Failed, Stopped, StopSignal, emit
from training.learn.heads import ProductHead
from training.learn.options import TrainOptions


class Task(Protocol):
    """What is learned: rows to train on, and their loss."""

    training: Tensor  # (n,) rows to train on
    validating: Tensor  # (m,) rows that decide when to stop

    def loss(self, head: ProductHead, rows: Tensor) -> Tensor:
        """Return the mean loss of these rows, a scalar."""

    def names(self, rows: Tensor) -> list[str]:
        """Return the published ids of these rows."""


def fit(
    heads: Sequence[ProductHead], task: Task, options: TrainOptions, checkpoint: Checkpoint, stop: StopSignal
) -> list[ProductHead]:
    """Train the head of each seed to its end, and return them as they were when they validated best.

    Raise Failed at the first loss that is not finite, and Stopped after SIGTERM, when the checkpoint is written.
    """
    state = (checkpoint.load() if options.resume else None) or {"seed": 0, "done": [], "now": None}
    for head, weights in zip(heads, state["done"], strict=False):
        head.load_state_dict(weights)
    for number in range(state["seed"], len(heads)):
        run = _Run(heads[number], task, options, options.seed + number, state["now"])
        state = {"seed": number, "done": [head.state_dict() for head in heads[:number]]}
        run.train(lambda now, state=state: checkpoint.save(state | {"now": now}), stop, number)
        state = {"seed": number + 1, "done": [head.state_dict() for head in heads[: number + 1]], "now": None}
        checkpoint.save(state)
    return [head.eval() for head in heads]


class _Run:
    """The training of one seed."""

    def __init__(
        self, head: ProductHead, task: Task, options: TrainOptions, seed: int, now: dict[str, Any] | None
    ) -> None:
        self.head, self.task, self.options, self.seed = head.train(), task, options, seed
        self.optimizer = torch.optim.AdamW(
            head.parameters(), lr=options.learning_rate, weight_decay=options.weight_decay
        )
        self.epoch = self.at = self.step = self.waited = 0
        self.best_loss, self.best = math.inf, copy.deepcopy(head.state_dict())
        if now:
            head.load_state_dict(now["head"])
            self.optimizer.load_state_dict(now["optimizer"])
            self.epoch, self.at, self.step, self.waited = now["epoch"], now["at"], now["step"], now["waited"]
            self.best_loss, self.best = now["best_loss"], now["best"]

    def state(self) -> dict[str, Any]:
        """Return all that the next step depends on. The order of an epoch follows from its seed and number."""
        places = {"epoch": self.epoch, "at": self.at, "step": self.step, "waited": self.waited}
        best = {"best_loss": self.best_loss, "best": self.best}
        return places | best | {"head": self.head.state_dict(), "optimizer": self.optimizer.state_dict()}

    def train(self, save: Any, stop: StopSignal, number: int) -> None:
        """Train to the end: no epoch is left, or the validation loss has not become better for some epochs."""
        options, rows = self.options, self.task.training
        before = number * _steps(len(rows), options)
        while self.epoch < options.epochs and self.waited < options.patience and not self.is_at_most_steps():
            order = rows[
                torch.randperm(len(rows), generator=torch.Generator().manual_seed(self.seed * 100_003 + self.epoch))
            ]
            while self.at < len(order) and not self.is_at_most_steps():
                batch = order[self.at : self.at + options.batch_size]
                loss = self.one_step(batch)
                self.at += len(batch)
                self.step += 1
                if self.step % options.log_every == 0:
                    emit("step", step=before + self.step, loss=loss, epoch=self.epoch + self.at / len(order))
                if stop.came or self.step % options.save_every == 0:
                    save(self.state())
                if stop.came:
                    raise Stopped
            if self.at >= len(order):
                self.end_epoch(before)
        if self.at:  # the largest number of steps was reached within an epoch
            self.end_epoch(before)
        self.head.load_state_dict(self.best)

    def is_at_most_steps(self) -> bool:
        """Return whether the largest number of steps is reached."""
        return 0 < self.options.max_steps <= self.step

    def one_step(self, batch: Tensor) -> float:
        """Make one step and return its loss. Raise Failed if it is not finite; then no weight has changed."""
        loss = self.task.loss(self.head, batch)
        value = loss.item()
        if not math.isfinite(value):
            self.refuse(value, batch)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return value

    def refuse(self, value: float, batch: Tensor) -> None:
        """Raise Failed, and name the rows whose own loss is not finite."""
        with torch.no_grad():
            alone = [math.isfinite(self.task.loss(self.head, batch[i : i + 1]).item()) for i in range(len(batch))]
        wrong = batch[~torch.tensor(alone)]
        raise Failed(
            "non_finite_loss",
            f"The loss is {value} at step {self.step + 1} of seed {self.seed}. Look at these rows, or use a lower "
            "learning rate.",
            NOT_FINITE,
            self.task.names(wrong if len(wrong) else batch),
        )

    def end_epoch(self, before: int) -> None:
        """Validate, and note the weights if they are the best so far. before: steps of the seeds before this one."""
        with torch.no_grad():
            validating = self.task.validating if len(self.task.validating) else self.task.training
            loss = self.task.loss(self.head, validating).item()
        if not math.isfinite(loss):
            self.refuse(loss, validating)
        if len(self.task.validating):
            emit("validated", step=before + self.step, loss=loss)
        self.waited += 1
        if loss < self.best_loss:
            self.best_loss, self.waited, self.best = loss, 0, copy.deepcopy(self.head.state_dict())
        self.epoch, self.at = self.epoch + 1, 0


def _steps(rows: int, options: TrainOptions) -> int:
    """Return the most steps that one seed can take."""
    steps = options.epochs * math.ceil(rows / options.batch_size)
    return min(steps, options.max_steps) if options.max_steps else steps


def most_steps(rows: int, options: TrainOptions) -> int:
    """Return the most steps that all seeds can take."""
    return options.seeds * _steps(rows, options)
