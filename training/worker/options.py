"""The options of a worker, on the command line or in the environment."""

import argparse
import os
import platform
import re
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from training.worker.executors import GRACE_S, Executor, Local, Slurm
from training.worker.looping import POLL_S, Worker
from training.worker.programs import PROGRAMS
from training.worker.server import Server

#: Backbones with weights of their own, as `training.kinds` has them.
BACKBONE = re.compile(r"(embed|qwen-vl|video-llava):[A-Za-z0-9][A-Za-z0-9._-]{0,31}")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line. Each option can be set in the environment instead."""
    made = argparse.ArgumentParser(
        prog="python -m training.worker",
        description="Do the training runs of a Diptych server on this machine. It needs a token with the scopes train "
        "and export: diptych-server make_token USERNAME --name gpu-1 --scope train --scope export",
    )
    made.add_argument("--server", default=os.environ.get("DIPTYCH_SERVER", ""), help="its address (DIPTYCH_SERVER)")
    token_file = os.environ.get("DIPTYCH_TOKEN_FILE", "")
    made.add_argument(
        "--token-file", default=token_file, help="file with the token (DIPTYCH_TOKEN_FILE; or DIPTYCH_TOKEN itself)"
    )
    folder = os.environ.get("DIPTYCH_WORKER_FOLDER", "diptych-worker")
    made.add_argument("--folder", type=Path, default=folder, help="for releases and checkpoints")
    made.add_argument("--name", default=os.environ.get("DIPTYCH_WORKER_NAME", ""), help="default: name of the machine")
    made.add_argument("--executor", choices=["local", "slurm"], default=os.environ.get("DIPTYCH_EXECUTOR", "local"))
    package = os.environ.get("DIPTYCH_PROGRAMS", PROGRAMS)
    made.add_argument("--programs", default=package, help="package with the programs; default: %(default)s")
    made.add_argument(
        "--backbone",
        action="append",
        default=os.environ.get("DIPTYCH_BACKBONES", "").split(),
        metavar="KIND:NAME=FOLDER",
        help="offer a backbone with the weights in a folder in the format of transformers. KIND is embed, qwen-vl or "
        "video-llava; may be repeated (DIPTYCH_BACKBONES, separated by spaces)",
    )
    made.add_argument("--poll-s", type=float, default=POLL_S, help="seconds between two questions for a run")
    made.add_argument("--beat-s", type=float, help="seconds between two reports; default: as the server asks")
    made.add_argument("--grace-s", type=float, default=GRACE_S, help="seconds that a stopped program may take")
    made.add_argument("--once", action="store_true", help="end when no run waits")
    return made


def worker_of(options: argparse.Namespace) -> Worker:
    """Return the worker that the options describe. Raise SystemExit if something is missing."""
    if not options.server:
        raise SystemExit("Name the server: --server https://diptych.example.org")
    executor: Executor = Local(grace_s=options.grace_s)
    if options.executor == "slurm":
        executor = Slurm(options.folder, grace_s=options.grace_s)
    return Worker(
        Server(options.server, _token(options.token_file)),
        executor,
        options.folder,
        name=options.name or platform.node() or "worker",
        code_version=_code_version(),
        package=options.programs,
        beat_s=options.beat_s,
        backbones=_backbones(options.backbone),
    )


def from_environment(arguments: Sequence[str] = ()) -> Worker:
    """Return the worker that the environment describes."""
    return worker_of(parser().parse_args(list(arguments)))


def _token(file: str) -> str:
    if not file:
        if token := os.environ.get("DIPTYCH_TOKEN", ""):
            return token
        raise SystemExit("Name the file with the token: --token-file FILE")
    try:
        return Path(file).read_text("utf-8").strip()
    except OSError as error:
        raise SystemExit(f"The token cannot be read from {file}: {error.strerror}.") from error


def _backbones(given: Sequence[str]) -> dict[str, str]:
    """Return the folders of backbones by name. Raise SystemExit for a wrong name or a folder without a model."""
    found = {}
    for one in given:
        name, _, folder = one.partition("=")
        if not BACKBONE.fullmatch(name):
            raise SystemExit(
                f"--backbone {one}: write KIND:NAME=FOLDER. KIND is embed, qwen-vl or video-llava. "
                "A name has up to 32 letters, digits, dots, - and _."
            )
        if not (Path(folder) / "config.json").is_file():
            raise SystemExit(f"--backbone {one}: {folder or 'the folder'} has no config.json of transformers.")
        found[name] = str(Path(folder).absolute())
    return found


def _code_version() -> str:
    try:
        return metadata.version("diptych")
    except metadata.PackageNotFoundError:
        return ""
