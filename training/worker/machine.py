"""What the machine has, and what a program uses of it."""

import platform
import subprocess
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, NamedTuple

import psutil

MIB = 1 << 20
QUERY = "--query-gpu=name,memory.total,memory.used,utilization.gpu"


class Gpu(NamedTuple):
    """A GPU: its name, its memory and how much of it is used in MiB, and how busy it is in percent."""

    name: str
    memory_mib: int
    used_mib: int
    percent: int


def gpus() -> list[Gpu]:
    """Return the GPUs of this machine as `nvidia-smi` shows them; none without it."""
    command = ["nvidia-smi", QUERY, "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    found = []
    for line in done.stdout.splitlines():
        name, *numbers = (part.strip() for part in line.split(","))
        with suppress(ValueError):
            total, used, percent = (int(float(number)) for number in numbers)
            found.append(Gpu(name, total, used, percent))
    return found


def hardware(found: Iterable[Gpu]) -> str:
    """Return the machine in words, such as `16 processors, 128 GiB; 1 × NVIDIA H200`."""
    names = [gpu.name for gpu in found]
    cores, memory = psutil.cpu_count() or 1, psutil.virtual_memory().total / (1 << 30)
    words = f"{cores} processors ({platform.machine()}), {memory:.0f} GiB"
    counted = ", ".join(f"{names.count(name)} × {name}" for name in dict.fromkeys(names))
    return f"{words}; {counted}"[:400] if counted else words[:400]


class Sampler:
    """Samples what a program uses. `highest` has the largest number of each kind so far."""

    def __init__(self) -> None:
        self.last: dict[str, float] = {}
        self.highest: dict[str, float] = {}
        self._seen: dict[int, psutil.Process] = {}

    def sample(self, processes: Iterable[psutil.Process]) -> dict[str, Any]:
        """Return the last sample and the highest numbers: memory in MiB, processors and GPUs in percent of one."""
        memory = percent = 0.0
        # A process is kept: its share of a processor is measured between two calls of the same object.
        self._seen = {one.pid: self._seen.get(one.pid, one) for one in processes}
        for process in self._seen.values():
            with suppress(psutil.Error):
                memory += process.memory_info().rss / MIB
                percent += process.cpu_percent()
        self.last = {"memory_mib": round(memory, 1), "processor_percent": round(percent, 1)}
        if found := gpus():
            self.last["gpu_memory_mib"] = sum(gpu.used_mib for gpu in found)
            self.last["gpu_percent"] = round(sum(gpu.percent for gpu in found) / len(found), 1)
        for name, value in self.last.items():
            self.highest[name] = max(value, self.highest.get(name, 0.0))
        return {"last": self.last, "highest": self.highest}
