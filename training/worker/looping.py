"""Ask for runs and do them, one after the other, until somebody stops the worker."""

import logging
import re
import shutil
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from filelock import FileLock, Timeout

from diptych_client import ClientError
from training.worker import machine, programs
from training.worker.executors import Executor
from training.worker.running import MOST_STARTS, Doing, left_claims
from training.worker.server import Claimed, Server, TakenOver

logger = logging.getLogger(__name__)

POLL_S = 10.0
#: Run folders that nobody continued for so long are deleted.
FORGOTTEN_AFTER_S = 14 * 86_400


class Worker:
    """A worker: a server, an executor, and a folder for releases and runs. One process at a time uses a folder."""

    def __init__(
        self,
        server: Server,
        executor: Executor,
        folder: Path,
        *,
        name: str,
        code_version: str = "",
        package: str = programs.PROGRAMS,
        beat_s: float | None = None,
        backbones: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.backbones = backbones
        self.beat_s = beat_s
        self.server, self.executor, self.package = server, executor, package
        # Ids of runs are those of one server.
        self.folder = folder.absolute() / re.sub(r"[^A-Za-z0-9.-]", "_", server.address.partition("//")[2])
        found = machine.gpus()
        self.offer: dict[str, Any] = {
            "name": name,
            "gpus": len(found),
            "gpu_memory_mib": min((gpu.memory_mib for gpu in found), default=0),
            "hardware": machine.hardware(found),
            "code_version": code_version,
            "backbones": sorted(backbones),
        }
        self.stop = threading.Event()
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(self.folder / ".lock")

    def __enter__(self) -> "Worker":
        try:
            self._lock.acquire(blocking=False)
        except Timeout:
            raise SystemExit(f"Another worker uses the folder {self.folder}. Give each worker its own.") from None
        self._continue_left_runs()
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def stay(self, *, poll_s: float = POLL_S, once: bool = False) -> None:
        """Do runs as they come, until `stop` is set. With `once`, return when no run waits."""
        while not self.stop.is_set():
            worked = self.work_through()
            if once:
                return
            if not worked:
                self.stop.wait(poll_s)

    def work_through(self) -> int:
        """Do all runs that wait and that this machine can do. Return how many were claimed."""
        count = 0
        while not self.stop.is_set() and (run := self._claim()) is not None:
            count += 1
            self._do(run)
        return count

    def _claim(self) -> Claimed | None:
        try:
            return self.server.claim(self.offer)
        except (ClientError, TakenOver) as error:
            if isinstance(error, ClientError) and error.status in {401, 403}:
                raise SystemExit(f"{error} A worker needs a token with the scopes train and export.") from error
            logger.warning("No run was claimed: %s", error)
            return None

    def _do(self, run: Claimed) -> None:
        logger.info("Run %s begins: %s of release %s", run["id"], run["kind"], run["release"])
        logger.info("Run %s ended here: %s", run["id"], self._doing(run).do())

    def _doing(self, run: Claimed) -> Doing:
        run = run | ({"beat_every_s": self.beat_s} if self.beat_s else {})
        return Doing(
            self.server,
            self.executor,
            run,
            self.folder,
            stop=self.stop,
            package=self.package,
            backbones=self.backbones,
        )

    def _continue_left_runs(self) -> None:
        """Continue the run that this worker had when it was killed, if it is still its own."""
        self._forget_old_runs()
        for run in left_claims(self.folder):
            doing = self._doing(run)
            try:
                if run["starts"] >= MOST_STARTS:
                    trouble = f"The worker ended {run['starts']} times while it did the run."
                    self.server.put_back(run, trouble=trouble, counted=True)
                    (doing.folder / "claim.json").unlink()
                    continue
                self.server.report(run)
            except TakenOver:
                (doing.folder / "claim.json").unlink()
                continue
            except ClientError as error:
                logger.warning("Run %s is not continued: %s", run["id"], error)
                continue
            logger.info("Run %s is continued", run["id"])
            doing.do()

    def _forget_old_runs(self) -> None:
        for path in (self.folder / "runs").glob("*"):
            if path.stat().st_mtime < time.time() - FORGOTTEN_AFTER_S:
                shutil.rmtree(path, ignore_errors=True)
