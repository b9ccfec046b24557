"""Training of a large backbone by `transformers.Trainer`: its loop, our data, network, loss and checkpoints."""

import gc
import json
import math
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import torch
import torch.distributed
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments

from training.learn import events, loop
from training.learn.checkpoints import Checkpoint
from training.learn.events import NOT_FINITE, Failed, Stopped, StopSignal, emit
from training.learn.large import networks
from training.learn.large.inputs import LargeInputs, Rows
from training.learn.large.models import LargeModel, about_large
from training.learn.large.networks import Built, Network
from training.learn.models import about_run
from training.learn.options import TrainOptions

#: In a folder of the Trainer: the trained weights, and what it writes last.
TRAINED, STATE = "trained.safetensors", "trainer_state.json"
#: The Trainer cuts longer gradients to this length.
MOST_GRADIENT = 1.0


class Task(Protocol):
    """What is learned: rows with a prompt and one or two clips each.

    Attributes:
        rows: (n,); prompt: (n,); clip: (n,) or (n, 2).
        training: rows to train on.
        answers: mean number of answers of a training row.
    """

    prompt: Tensor
    clip: Tensor
    training: Tensor
    answers: float
    penalty: float

    def likelihood(self, scores: Tensor, eta: Tensor, rows: Tensor) -> Tensor:
        """Return the summed log-likelihood of the answers of each row, by output: (B, K) of scores (clips, B, K)."""

    def names(self, rows: Tensor) -> list[str]:
        """Return the published ids of these rows."""


def fit(
    kind: str,
    targets: Sequence[str],
    task: Task,
    given: LargeInputs,
    options: TrainOptions,
    checkpoint: Checkpoint,
    stop: StopSignal,
    **more: Any,
) -> LargeModel:
    """Train one network for each seed, and return the model. `more` goes to model.json.

    Raise Failed at the first loss that is not finite, and Stopped after SIGTERM, when the checkpoint is written.
    """
    root = checkpoint.path.parent
    state = checkpoint.load() if options.resume else None
    if state is None:
        state = {"done": 0, "version": ""}
        if events.is_first():
            for old in root.glob("seed-*"):
                shutil.rmtree(old) if old.is_dir() else old.unlink()
            checkpoint.save(state)
    for number in range(state["done"], options.seeds):
        folder = root / f"seed-{number}"
        built = _built(targets, options, options.seed + number)
        if state["version"] not in ("", built.version):
            raise Failed(
                "options_changed",
                f"The run began with {state['version']}, and {options.backbone_path} is now {built.version}. Start "
                "without --resume.",
            )
        state = {"done": number, "version": built.version}
        if events.is_first():
            checkpoint.save(state)
        _train_seed(built, task, given, options, stop, number, folder)
        state["done"] = number + 1
        if events.is_first():
            _save(built.network, folder.with_suffix(".safetensors"))
            checkpoint.save(state)
            shutil.rmtree(folder, ignore_errors=True)
        del built  # the next one needs its memory
        gc.collect()
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
    finished = range(options.seeds if events.is_first() else 0)
    by_seed = [load_file(root / f"seed-{number}.safetensors") for number in finished]
    stored = {"large": about_large(options), "precision": options.precision}
    about = about_run(options, given.release, state["version"], **stored, **more)
    return LargeModel.of_seeds(kind, tuple(targets), about, by_seed)


def _built(targets: Sequence[str], options: TrainOptions, seed: int) -> Built:
    computes = networks.precision_of(options.precision)
    return networks.build(options, targets, seed, computes, getattr(torch, options.trained_as))


def _train_seed(
    built: Built,
    task: Task,
    given: LargeInputs,
    options: TrainOptions,
    stop: StopSignal,
    number: int,
    folder: Path,
) -> None:
    """Train the network of one seed to its end. Raise Failed and Stopped."""
    clip = task.clip[task.training]
    rows = Rows(
        given,
        built.processor,
        task.training.numpy(),
        task.prompt[task.training].numpy(),
        clip.reshape(len(clip), -1).numpy(),
    )
    steps = loop.most_steps(len(rows), options) // options.seeds
    progress = _Progress(stop, options, before=number * steps)
    trainer = LargeTrainer(
        built.network,
        arguments_of(options, options.seed + number, networks.precision_of(options.precision), folder),
        task=task,
        train_dataset=rows,
        data_collator=rows.collate,
        callbacks=[progress],
    )
    trainer.remove_callback(PrinterCallback)
    step, newest = newest_whole(folder) if options.resume else (0, None)
    if newest and 0 < options.max_steps <= step:
        networks.put(built.network, load_file(newest / TRAINED), str(newest))
        return
    trainer.train(resume_from_checkpoint=str(newest) if newest else None)
    if progress.has_stopped:
        raise Stopped


def arguments_of(options: TrainOptions, seed: int, computes: torch.dtype, folder: Path) -> TrainingArguments:
    """Return the options of the Trainer. Raise Failed if batches cannot be made of what the devices compute at a time.

    AdamW, a learning rate that rises and then falls like a cosine, and no gradient longer than `MOST_GRADIENT`.
    """
    has_gpu = torch.cuda.is_available()
    arguments = TrainingArguments(
        str(folder),
        per_device_train_batch_size=options.device_batch,
        num_train_epochs=options.epochs,
        learning_rate=options.learning_rate,
        weight_decay=options.weight_decay,
        lr_scheduler_type="cosine",
        warmup_steps=options.warm_up,
        max_grad_norm=MOST_GRADIENT,
        logging_steps=options.log_every,
        logging_nan_inf_filter=False,
        save_steps=options.save_every,
        save_total_limit=options.kept_checkpoints,
        seed=seed,
        data_seed=seed,
        bf16=computes == torch.bfloat16,
        activation_checkpointing=options.activations == "recompute",
        use_cpu=not has_gpu,
        dataloader_num_workers=options.loaders,
        dataloader_pin_memory=has_gpu,
        ddp_find_unused_parameters=False,
        remove_unused_columns=False,
        report_to=options.report_to,
        disable_tqdm=True,
    )
    arguments._n_gpu = min(arguments.n_gpu, 1)  # several GPUs in one process would cut our batches in pieces
    together = options.device_batch * arguments.world_size
    if options.batch_size % together:
        raise Failed(
            "bad_option",
            f"--batch-size {options.batch_size} cannot be made of {arguments.world_size} devices with --device-batch "
            f"{options.device_batch}. Use a multiple of {together}.",
        )
    arguments.gradient_accumulation_steps = options.batch_size // together
    return arguments


class LargeTrainer(Trainer):
    """The Trainer with our loss, and with checkpoints that have the trained weights only.

    The library's own checkpoints are resumed with `strict=False`: weights under other names stay untrained, with a
    warning only. Ours fit, or the run fails.
    """

    def __init__(self, network: Network, arguments: TrainingArguments, *, task: Task, **more: Any) -> None:
        super().__init__(network, arguments, **more)
        self.network, self.task = network, task
        self.model_accepts_loss_kwargs = False  # so the mean over the parts of a batch is taken
        if self.is_fsdp_enabled or self.is_deepspeed_enabled:
            raise Failed(
                "bad_option", "Networks in pieces (FSDP, DeepSpeed) are not supported. Each GPU needs a whole copy."
            )

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Return the mean negative log-likelihood of an answer, plus a penalty on large scores.

        It is divided by the mean number of answers of a row, not by that of these rows: batches are made of several
        parts, in which rows with many answers must count more. Raise Failed if it is not finite.
        """
        rows = torch.tensor(inputs.pop("rows"))
        outputs = model(**inputs).float()  # (clips * B, K)
        scores = outputs.view(-1, len(rows), outputs.shape[-1])  # (clips, B, K)
        likelihood = self.task.likelihood(scores, self.network.eta, rows)  # (B, K)
        loss = -likelihood.sum() / (self.task.answers * len(rows)) + self.task.penalty * scores.square().mean()
        loss = loss + 0 * self.network.eta.sum()  # several processes expect a gradient of all weights
        if not math.isfinite(loss.item()):
            self.refuse(loss.item(), rows, likelihood.sum(1))
        return (loss, scores) if return_outputs else loss

    def refuse(self, loss: float, rows: Tensor, likelihood: Tensor) -> None:
        """Raise Failed, and name the rows whose own loss is not finite."""
        wrong = rows[~torch.isfinite(likelihood.detach()).cpu()]
        raise Failed(
            "non_finite_loss",
            f"The loss is {loss} at step {self.state.global_step + 1} of seed {self.args.seed}. Look at these rows, or "
            "use a lower learning rate.",
            NOT_FINITE,
            self.task.names(wrong if len(wrong) else rows),
        )

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        if self.args.should_save:
            _save(self.network, Path(output_dir or self.args.output_dir) / TRAINED)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        networks.put(self.network, load_file(Path(resume_from_checkpoint) / TRAINED), resume_from_checkpoint)


class _Progress(TrainerCallback):
    """Prints steps, and ends the training after SIGTERM or the largest number of steps."""

    def __init__(self, stop: StopSignal, options: TrainOptions, before: int) -> None:
        self.stop, self.options, self.before = stop, options, before
        self.has_stopped = False

    def on_log(self, _args: Any, state: Any, _control: Any, logs: Any = None, **_more: Any) -> None:
        """Print the mean loss since the last line."""
        if logs and "loss" in logs:
            emit("step", step=self.before + state.global_step, loss=float(logs["loss"]), epoch=float(state.epoch))

    def on_step_end(self, _args: Any, state: Any, control: Any, **_more: Any) -> None:
        """Stop if it is time to. All processes stop after the same step."""
        self.has_stopped = _any(self.stop.came)
        if self.has_stopped:
            control.should_save = True
        control.should_training_stop |= self.has_stopped or 0 < self.options.max_steps <= state.global_step


def newest_whole(folder: Path) -> tuple[int, Path | None]:
    """Return the step and the path of the newest checkpoint that was written to its end, or 0 and None."""
    found: list[tuple[int, Path]] = []
    for path in folder.glob("checkpoint-*"):
        try:
            found.append((int(json.loads((path / STATE).read_text("utf-8"))["global_step"]), path))
        except (OSError, ValueError, KeyError):
            continue
    return max(found, default=(0, None), key=lambda one: one[0])


def _any(came: bool) -> bool:
    """Return whether SIGTERM came to any process."""
    if not torch.distributed.is_initialized():
        return came
    device = "cuda" if torch.cuda.is_available() else "cpu"
    flag = torch.tensor(int(came), device=device)
    torch.distributed.all_reduce(flag)
    return bool(flag.item())


def _save(network: Network, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: one.contiguous() for name, one in networks.trained(network).items()}, path)
