"""Progress bars on stderr, for commands that may take a while."""

import sys
from typing import Never

from tqdm import tqdm

from jobs.progress import Progress


class Bar(Progress):
    """A progress bar for each stage. It appears after a second, and only on a terminal."""

    def __init__(self, *, shown: bool = True) -> None:
        self.hidden = not (shown and sys.stderr.isatty())
        self.bar: tqdm[Never] | None = None

    def begin(self, stage: str, total: int) -> None:
        self.end()
        self.bar = tqdm(desc=stage, total=total, delay=1, leave=False, disable=self.hidden, file=sys.stderr)

    def advance(self, steps: int = 1) -> None:
        if self.bar is not None:
            self.bar.update(steps)

    def end(self) -> None:
        if self.bar is not None:
            self.bar.close()
        self.bar = None
