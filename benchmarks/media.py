"""How fast videos are prepared: all that a worker does with one, compared with one plain encode of the same file.

The worker's task is called in this process, one clip at a time. It claims the row, fetches and probes the file, makes
playback file, poster, strip, training frames and hashes, stores all of it, and updates the pair. The reference is one
run of ffmpeg with the settings of the playback file. Both alternate with a third measurement: making the files without
row and storage.
"""

import argparse
import os
import secrets
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil

from benchmarks import claims, scratch
from benchmarks.claims import Claim, at_most
from diptych.embedded.state import EmbeddedError

AIM = 1.15
WAYS = ("plain", "made", "worker")


@dataclass(frozen=True, slots=True)
class Clip:
    """The properties of one clip. The grain gives it the bytes of a generated video."""

    size: str
    rate: int
    seconds: float
    sound: bool = False

    def __str__(self) -> str:
        return f"{self.size}, {self.seconds:g} s at {self.rate}{', with sound' if self.sound else ''}"


CLIPS = (
    Clip("576x320", 24, 4),
    Clip("1280x720", 24, 5, sound=True),
    Clip("1920x1080", 30, 5),
)


@dataclass(slots=True)
class Measured:
    """Seconds of each run of a clip, and the processor time in them, for each way of making it."""

    clip: Clip
    seconds: dict[str, list[float]] = field(default_factory=lambda: {way: [] for way in WAYS})
    processor_s: dict[str, list[float]] = field(default_factory=lambda: {way: [] for way in WAYS})

    def median(self, way: str) -> float:
        return statistics.median(self.seconds[way])

    @property
    def ratio(self) -> float:
        """Return the worker's time divided by that of the plain encode of the same round: the median of the rounds."""
        return median_ratio(self.seconds)

    @property
    def processor_ratio(self) -> float:
        """Return the same ratio of processor time, which other work on the machine changes less."""
        return median_ratio(self.processor_s)


def median_ratio(by_way: dict[str, list[float]]) -> float:
    pairs = zip(by_way["worker"], by_way["plain"], strict=True)
    return statistics.median(worker / plain for worker, plain in pairs)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and write. Return 0 if the program ran, whatever the claims say."""
    options = parse(arguments)
    clips = CLIPS[:1] if options.quick else CLIPS
    try:
        with scratch.servers("diptych.settings") as running:
            load_before = os.getloadavg()
            measured = [measure(clip, options.repeats, running.home.path) for clip in clips]
    except (EmbeddedError, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 1
    judged = judge(measured)
    print(f"\n{clips_table(measured)}\n\n{claims.claims_table(judged)}")
    if options.json:
        facts = {"processors": os.cpu_count(), "load_before": load_before, "load_after": os.getloadavg()}
        claims.write(options.json, judged, {"machine": facts, "clips": [asdict(one) for one in measured]})
    return 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.media", description=__doc__.splitlines()[0])
    claims.add_options(parser)
    parser.add_argument("--repeats", type=int, help="rounds of each clip (15; quick: 3)")
    options = parser.parse_args(arguments)
    options.repeats = options.repeats or (3 if options.quick else 15)
    return options


# --- Measuring ----------------------------------------------------------------------------------------------


def measure(clip: Clip, repeats: int, folder: Path) -> Measured:
    """Measure all ways of a clip in turn, after one round that is not counted.

    Every second round goes backwards.
    """
    from media import confined
    from media.probe import probe  # needs Django to be set up
    from media.transcode import transcode

    print(clip, file=sys.stderr, flush=True)
    original = make(clip, folder)
    facts = probe(original)
    [launcher] = (child for child in psutil.Process().children() if confined.__file__ in child.cmdline())
    result = Measured(clip)
    steps: dict[str, Callable[[int], Any]] = {
        "plain": lambda number: plain_encode(original, facts, folder / f"plain-{clip.size}-{number}.mp4"),
        "made": lambda number: transcode(original, folder / f"made-{clip.size}-{number}"),
        "worker": lambda _number: work(),
    }
    for number in range(-1, repeats):
        waiting(original)
        for way in WAYS if number % 2 else WAYS[::-1]:
            began, used_s = time.perf_counter(), processor_s(launcher)
            steps[way](number)
            if number >= 0:
                result.seconds[way].append(time.perf_counter() - began)
                result.processor_s[way].append(processor_s(launcher) - used_s)
    return result


def processor_s(launcher: psutil.Process) -> float:
    """Return the processor seconds of this process, of `launcher`, and of their ended children."""
    return sum(sum(used[:4]) for used in (os.times(), launcher.cpu_times()))


def make(clip: Clip, folder: Path) -> Path:
    """Make the clip as somebody would upload it."""
    import ffmpeg

    from diptych.embedded import binaries

    path = folder / f"{clip.size}.mp4"
    picture = f"testsrc2=size={clip.size}:rate={clip.rate}:duration={clip.seconds},noise=alls=3:allf=t"
    streams = [ffmpeg.input(picture, f="lavfi")]
    if clip.sound:
        streams.append(ffmpeg.input(f"sine=duration={clip.seconds}", f="lavfi"))
    options = {"vcodec": "libx264", "crf": 14, "pix_fmt": "yuv420p"}
    ffmpeg.output(*streams, str(path), **options).run(cmd=binaries.ffmpeg(), quiet=True)
    return path


def plain_encode(original: Path, facts: Any, target: Path) -> None:
    """Run ffmpeg once with the playback file's settings."""
    import ffmpeg

    from diptych.embedded import binaries
    from media.graph import _playback_options
    from media.transcode import THREADS

    opened = ffmpeg.input(str(original), threads=THREADS)
    streams = [opened[str(facts.video_index)]]
    if facts.audio_index is not None:
        streams.append(opened[str(facts.audio_index)])
    ffmpeg.output(*streams, str(target), **_playback_options(facts, THREADS)).run(cmd=binaries.ffmpeg(), quiet=True)


def waiting(original: Path) -> None:
    """Write what an import would write: a row for the worker, with a pair whose other video is ready."""
    from django.core.files import File
    from django.core.files.storage import default_storage
    from django.utils import timezone

    from catalog.models import Batch, Pair, Prompt, Video
    from media.models import Asset
    from studies.models import Study

    study, _ = Study.objects.get_or_create(slug="media", defaults={"title": "Benchmark"})
    batch, _ = Batch.objects.get_or_create(study=study, number=1)
    prompt = Prompt.objects.create(study=study, public_id=secrets.token_hex(32), text="A red ball rolls")
    name = f"originals/{original.name}"
    if not default_storage.exists(name):
        with original.open("rb") as file:
            default_storage.save(name, File(file))
    ready = {"state": "done", "duration_s": 1.0, "fps": 24.0, "finished_at": timezone.now()}
    videos = [
        Video.objects.create(
            study=study,
            prompt=prompt,
            public_id=secrets.token_hex(32),
            asset=Asset.objects.create(
                sha256=secrets.token_hex(32), byte_size=original.stat().st_size, original=name, **values
            ),
        )
        for values in ({"state": "waiting"}, ready)
    ]
    Pair.objects.create(
        study=study,
        batch=batch,
        prompt=prompt,
        video_0=videos[0],
        video_1=videos[1],
        public_id=secrets.token_hex(32),
        ready=False,
    )


def work() -> None:
    """Do what the worker does at a message. Raises RuntimeError if no pair became servable."""
    from catalog.models import Pair
    from media.tasks import transcode_asset

    transcode_asset(0)
    if Pair.objects.filter(ready=False).exists():
        raise RuntimeError("The worker prepared nothing. Its messages are above.")


# --- Reporting ----------------------------------------------------------------------------------------------


def judge(measured: Sequence[Measured]) -> list[Claim]:
    return [at_most(f"worker against one plain encode ({one.clip})", one.ratio, AIM, "times") for one in measured]


def clips_table(measured: Sequence[Measured]) -> str:
    rows = [
        [
            one.clip,
            *(f"{one.median(way) * 1000:.0f}" for way in WAYS),
            f"{60 / one.median('worker'):.1f}",
            f"{60 / one.median('plain'):.1f}",
            f"{one.processor_ratio:.2f}",
        ]
        for one in measured
    ]
    heads = ["clip", "plain ms", "made ms", "worker ms", "clips/min", "plain/min", "processor time"]
    return claims.table(heads, rows)


if __name__ == "__main__":
    sys.exit(main())
