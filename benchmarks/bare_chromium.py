"""A real Chromium that is driven over a pipe, with only the commands that benchmarks need.

Test drivers listen to the network, and for that the browser keeps every body that it loads. A benchmark of memory would
measure the driver. Here nothing is switched on that is off in a person's browser.
"""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.browser.chromium import ARGUMENTS, find

OPENS_WITHIN_S = 60.0


class Failed(RuntimeError):
    """The browser, or a script in a page, reported an error."""


class Chromium:
    """A running browser. Its commands are those of the Chrome DevTools Protocol."""

    def __init__(self, path: str, profile: Path) -> None:
        from_us, to_browser = os.pipe()
        from_browser, to_us = os.pipe()
        command = [path, *ARGUMENTS, "--headless=new", "--remote-debugging-pipe", f"--user-data-dir={profile}"]
        command += ["--autoplay-policy=no-user-gesture-required"]
        # Beyond 3 and 4, to which they are moved
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (from_us, to_us)]

        def move_ends() -> None:
            os.dup2(ends[0], 3)
            os.dup2(ends[1], 4)

        self._process = subprocess.Popen(
            command,
            pass_fds=(3, 4),
            preexec_fn=move_ends,  # no other thread runs yet
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        for end in ends:
            os.close(end)
        os.close(from_us)
        os.close(to_us)
        self._to, self._from = os.fdopen(to_browser, "wb"), os.fdopen(from_browser, "rb")
        self._number, self._read = 0, b""

    def send(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """Run one command and return its result. Raises Failed with the browser's message."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        self._to.write(json.dumps(message | ({"sessionId": session} if session else {})).encode() + b"\0")
        self._to.flush()
        while (answer := self._next()).get("id") != self._number:
            pass  # an event, which nobody listens for
        if "error" in answer:
            raise Failed(f"{method}: {answer['error'].get('message')}")
        result: dict[str, Any] = answer["result"]
        return result

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._read:
            more = os.read(self._from.fileno(), 1 << 16)
            if not more:
                raise Failed("The browser has ended.")
            self._read += more
        message, self._read = self._read.split(b"\0", 1)
        answer: dict[str, Any] = json.loads(message)
        return answer

    def close(self) -> None:
        """End the browser and all its processes."""
        with suppress(Failed, OSError):
            self.send("Browser.close")
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(10)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def processes(self) -> list[dict[str, Any]]:
        """Return `{"type", "id"}` of each process: its kind and its process id."""
        found: list[dict[str, Any]] = self.send("SystemInfo.getProcessInfo")["processInfo"]
        return found

    @property
    def version(self) -> str:
        return str(self.send("Browser.getVersion")["product"])


class Page:
    """One tab in a profile of its own."""

    def __init__(self, browser: Chromium) -> None:
        self.browser = browser
        self._context = browser.send("Target.createBrowserContext")["browserContextId"]
        target = browser.send("Target.createTarget", url="about:blank", browserContextId=self._context)["targetId"]
        self._session = browser.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.send("Emulation.setDeviceMetricsOverride", width=1280, height=720, deviceScaleFactor=1, mobile=False)

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self.browser.send(method, self._session, **parameters)

    def keep_cookie(self, name: str, value: str, url: str) -> None:
        cookie = {"name": name, "value": value, "url": url}
        self.browser.send("Storage.setCookies", cookies=[cookie], browserContextId=self._context)

    def before_scripts(self, source: str) -> None:
        """Run a script in every document before the document's own scripts."""
        self.send("Page.enable")
        self.send("Page.addScriptToEvaluateOnNewDocument", source=source)

    def slow_down(self, bytes_a_second: int) -> None:
        """Limit the network to that speed in both directions, from now on."""
        self.send("Network.enable")
        self.send(
            "Network.emulateNetworkConditions",
            offline=False,
            latency=0,
            downloadThroughput=bytes_a_second,
            uploadThroughput=bytes_a_second,
        )

    def open(self, address: str) -> None:
        self.send("Page.navigate", url=address)

    def evaluate(self, function: str, argument: Any = None) -> Any:
        """Return the result of the JavaScript function, or what its promise resolves to.

        Counts as a person's gesture.
        """
        answer = self.send(
            "Runtime.evaluate",
            expression=f"({function})({json.dumps(argument)})",
            awaitPromise=True,
            returnByValue=True,
            userGesture=True,
        )
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise Failed(details.get("exception", {}).get("description") or details["text"])
        return answer["result"].get("value")

    def wait_for(self, function: str, argument: Any = None, within_s: float = OPENS_WITHIN_S) -> None:
        """Return when the function returns something true. Raises Failed if it does not in time."""
        deadline = time.monotonic() + within_s
        while not self.evaluate(function, argument):
            if time.monotonic() > deadline:
                raise Failed(f"This did not come true within {within_s:g} s: {function}")
            time.sleep(0.05)

    def close(self) -> None:
        self.browser.send("Target.disposeBrowserContext", browserContextId=self._context)


@contextmanager
def chromium() -> Iterator[Chromium]:
    """Yield a browser with a temporary profile. Raises Failed if none is installed."""
    path = find()
    if path is None:
        raise Failed("No Chromium was found: run `python -m tests.browser.chromium`.")
    profile = Path(tempfile.mkdtemp(prefix="diptych-chromium-"))
    browser = Chromium(path, profile)
    try:
        yield browser
    finally:
        browser.close()
        shutil.rmtree(profile, ignore_errors=True)
