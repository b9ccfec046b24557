"""Do one run: download, start the program, report what it says, and end the run on the server.

A thread beats while the main thread works, so that a long download or upload does not lose the claim. The claim is
written into the run folder: a worker that was killed and starts again continues with it.
"""

import json
import logging
import os
import shutil
import signal
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any

from diptych_client import ClientError
from training.worker import programs, scoring_items
from training.worker.events import Events, State, tail
from training.worker.executors import Executor
from training.worker.machine import Sampler
from training.worker.server import Claimed, RunCancelled, Server, TakenOver

logger = logging.getLogger(__name__)

POLL_S = 0.2
CLAIM = "claim.json"
#: After so many starts of the worker with the same claim, the run is given back and counted: it may end the worker.
MOST_STARTS = 3
SECRETS = ("DIPTYCH_TOKEN", "DATABASE_URL", "REDIS_URL", "SECRET_KEY")


class Stopped(Exception):
    """Somebody stops the worker."""


class Doing:
    """One claimed run on this worker."""

    def __init__(
        self,
        server: Server,
        executor: Executor,
        run: Claimed,
        folder: Path,
        *,
        stop: threading.Event,
        package: str = programs.PROGRAMS,
        backbones: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.backbones = backbones
        self.server, self.executor, self.run, self.stop, self.package = server, executor, run, stop, package
        self.folder = folder / "runs" / str(run["id"])
        self.releases = folder / "releases"
        self.out, self.log = self.folder / "out", self.folder / "log.txt"
        self.state, self.sampler = State(), Sampler()
        self.began = time.monotonic()
        self.cancelled, self.lost, self._ended = threading.Event(), threading.Event(), threading.Event()
        self._sent_log = ""

    def do(self) -> str:
        """Do the run. Return how it ended here: done, failed, put back, cancelled or taken over."""
        self.out.mkdir(parents=True, exist_ok=True)
        self._write_claim()
        beating = threading.Thread(target=self._beat, name=f"beats of run {self.run['id']}", daemon=True)
        beating.start()
        try:
            how = self._do()
        except TakenOver:
            how = "taken over"
        except RunCancelled:
            how = self._put_back("The run was cancelled.", counted=False)
        except Stopped:
            how = self._put_back("The worker was stopped. Another one continues the run.", counted=False)
        except (ClientError, OSError, ValueError) as error:
            how = self._after_trouble(error)
        finally:
            self.executor.cancel()
            self._ended.set()
            beating.join()
        (self.folder / CLAIM).unlink(missing_ok=True)
        if how == "done":
            shutil.rmtree(self.folder, ignore_errors=True)
        return how

    def _do(self) -> str:
        if self.run["purpose"] == "score":
            release = scoring_items.fetch(self.server, self.run, self.folder / "items")
        else:
            release = self.server.pull(self.run, self.releases)
        self._go_on_or_raise()
        model = None
        if self.run["version"]:
            model = self.server.fetch_model(self.run["version"], self.folder / "evaluated")
        command = programs.command(
            self.run, programs=self.package, release=release, out=self.out, model=model, backbones=self.backbones
        )
        environment = {name: value for name, value in os.environ.items() if name not in SECRETS}
        events = self.folder / "events.jsonl"
        self.executor.launch(
            command, self.folder, events=events, log=self.log, environment=environment | {"PYTHONUNBUFFERED": "1"}
        )
        reading = Events(events)
        while (code := self.executor.poll()) is None:
            self._read(reading)
            self._go_on_or_raise()
            time.sleep(POLL_S)
        self._read(reading)
        self._go_on_or_raise()
        return self._after(code)

    def _read(self, events: Events) -> None:
        for event in events.new():
            self.state.add(event)

    def _go_on_or_raise(self) -> None:
        """Raise TakenOver, RunCancelled or Stopped, after the program has ended."""
        for event, reason in ((self.lost, TakenOver), (self.cancelled, RunCancelled), (self.stop, Stopped)):
            if event.is_set():
                self.executor.cancel()
                raise reason

    def _after(self, code: int) -> str:
        """End the run on the server, after the program has ended with this exit status."""
        self._report(last=True)
        if code == 0:
            metrics = programs.metrics(self.out)
            self.state.progress |= {"stage": "uploading"}
            files = {}
            for path in programs.published(self.out):
                files[path] = self.server.upload(self.run, path, self.out / path)
                self._go_on_or_raise()
            self.server.finish(self.run, metrics=metrics, files=files, wall_s=self._wall_s())
            return "done"
        if code in programs.FINAL:
            default_code, sentence = programs.FINAL[code]
            failed = self.state.failed
            items = [str(item)[:200] for item in failed.get("items") or []][:1000]
            message = str(failed.get("message") or sentence)[:2000]
            self.server.fail(self.run, code=str(failed.get("code") or default_code)[:40], message=message, items=items)
            return "failed"
        return self._put_back(how_it_ended(code), counted=True)

    def _after_trouble(self, error: Exception) -> str:
        """Give the run back after an error of this worker, or let it fail if another attempt would not help."""
        logger.error("Run %s stopped: %s", self.run["id"], error)
        self.executor.cancel()
        final = isinstance(error, ValueError) or (isinstance(error, ClientError) and error.code in FINAL_REFUSALS)
        try:
            if final:
                code = error.code if isinstance(error, ClientError) else "bad_metrics"
                self.server.fail(self.run, code=code, message=str(error)[:2000], items=[])
                return "failed"
        except (ClientError, TakenOver) as again:
            logger.error("Run %s could not be ended: %s", self.run["id"], again)
            return "taken over"
        return self._put_back(str(error), counted=True)

    def _put_back(self, trouble: str, *, counted: bool) -> str:
        try:
            state = self.server.put_back(self.run, trouble=trouble[:2000], counted=counted)
        except TakenOver:
            return "taken over"
        except ClientError as error:
            logger.error("Run %s could not be given back; the server notices it itself: %s", self.run["id"], error)
            return "put back"
        return "put back" if state == "waiting" else state

    # --- Beats -------------------------------------------------------------------------------------------------

    def _beat(self) -> None:
        while not self._ended.wait(self.run["beat_every_s"]):
            self._report()

    def _report(self, *, last: bool = False) -> None:
        """Send what is new. Without a connection, only note it: the claim may still hold."""
        about: dict[str, Any] = dict(self.state.progress)
        about["resources"] = self.sampler.sample(self.executor.processes())
        points, preflight, log = self.state.take_points(), self.state.take_preflight(), tail(self.log)
        about |= {name: value for name, value in (("points", points), ("preflight", preflight)) if value}
        if log != self._sent_log:
            about["log"] = log
        try:
            if self.server.report(self.run, **about):
                self.cancelled.set()
            self._sent_log = log
        except TakenOver:
            self.lost.set()
        except ClientError as error:
            logger.warning("Run %s missed a beat: %s", self.run["id"], error)
            self.state.points = {(point["part"], point["step"]): point["loss"] for point in points} | self.state.points
            self.state.preflight = self.state.preflight or preflight

    def _wall_s(self) -> float:
        return round(float(self.run["wall_s"]) + time.monotonic() - self.began, 1)

    def _write_claim(self) -> None:
        starts = int(self.run.get("starts", 0)) + 1
        text = json.dumps({**self.run, "starts": starts})
        aside = self.folder / f".{CLAIM}.part"
        aside.write_text(text)
        os.replace(aside, self.folder / CLAIM)


#: Refusals after which another attempt would not help.
FINAL_REFUSALS = frozenset({"withdrawn", "not_complete", "missing_files", "invalid", "quarantined"})


def how_it_ended(code: int) -> str:
    """Return a sentence about an exit status that is no planned one."""
    if code == -signal.SIGKILL:
        return "The program was killed. Often the machine had no memory left for it."
    if code < 0:
        with suppress(ValueError):
            return f"The program was ended by the signal {signal.Signals(-code).name}."
    if code == programs.STOPPED:
        return "Somebody stopped the program. It wrote a checkpoint."
    return f"The program ended with the exit status {code}."


def left_claims(folder: Path) -> list[Claimed]:
    """Return the claims that an earlier start of this worker left in its folder."""
    found = []
    for path in sorted((folder / "runs").glob(f"*/{CLAIM}")):
        with suppress(OSError, ValueError):
            found.append(json.loads(path.read_text()))
    return found
