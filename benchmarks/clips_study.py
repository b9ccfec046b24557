"""A study with real clips for a real browser. Frames are numbered, and files are as large as published clips."""

import secrets
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import ffmpeg
from django.core.files import File
from django.core.files.storage import default_storage
from django.utils import timezone

from catalog.models import Batch, Pair, Prompt, Video
from diptych.embedded import binaries
from media import names
from media.models import Asset
from media.transcode import Renditions, transcode
from studies.harms import HARM_KEYS
from studies.models import Study
from tests.browser import barcodes


@dataclass(frozen=True, slots=True)
class Clip:
    """The properties of one clip. `fine` is the strength of the grain that gives it its bytes (0 to 100)."""

    size: str
    rate: int
    seconds: float
    fine: int


#: The two clips of each pair, in turn. Most are alike, and each fourth pair has two rates. They have 0.4 to 0.8 MB
#: each.
USUAL = (Clip("576x320", 24, 4, 3), Clip("576x320", 24, 4, 2))
TWO_RATES = (Clip("576x320", 24, 4, 3), Clip("576x320", 30, 4, 3))


def fill(pairs: int) -> Study:
    """Fill a study with that many pairs, each with a prompt and two files of its own."""
    study = Study.objects.create(
        slug="browser",
        title="Benchmark",
        dimension_order="helpfulness_first",
        categories=list(HARM_KEYS),
        require_seen_through=False,
    )
    batch = Batch.objects.create(study=study, number=1)
    with tempfile.TemporaryDirectory(prefix="diptych-clips-") as folder:
        made = {clip: _make(clip, Path(folder)) for clip in {*USUAL, *TWO_RATES}}
        for number in range(pairs):
            clips = TWO_RATES if number % 4 == 3 else USUAL
            _pair(study, batch, number, [made[clip] for clip in clips])
    return study


def _make(clip: Clip, folder: Path) -> Renditions:
    """Make a clip with the product's own transcoder, so that the file is as the product would serve it."""
    original = folder / f"{clip.rate}-{clip.fine}.mp4"
    grain = f"noise=alls={clip.fine}:allf=t"
    source = barcodes.source(clip.size, clip.rate, clip.seconds, through=grain)
    ffmpeg.input(source, f="lavfi").output(str(original), vcodec="libx264", crf=12, pix_fmt="yuv420p").run(
        cmd=binaries.ffmpeg(), quiet=True
    )
    return transcode(original, folder / original.stem)


def _pair(study: Study, batch: Batch, number: int, clips: Sequence[Renditions]) -> None:
    prompt = Prompt.objects.create(
        study=study, public_id=secrets.token_hex(32), text=f"A red ball rolls past mark {number}"
    )
    videos = [
        Video.objects.create(
            study=study, prompt=prompt, asset=_asset(clip), public_id=secrets.token_hex(32), generator="a"
        )
        for clip in clips
    ]
    Pair.objects.create(
        study=study, batch=batch, prompt=prompt, video_0=videos[0], video_1=videos[1],
        public_id=secrets.token_hex(32), wanted=1, open_slots=1, ready=True,
    )  # fmt: skip


def _asset(clip: Renditions) -> Asset:
    asset = Asset.objects.create(
        sha256=secrets.token_hex(32),
        byte_size=clip.playback.stat().st_size,
        original=f"originals/{secrets.token_hex(8)}",
        state="done",
        duration_s=clip.facts.duration_s,
        fps=clip.facts.fps,
        finished_at=timezone.now(),
    )
    for name, path in ((names.playback, clip.playback), (names.poster, clip.poster)):
        with path.open("rb") as file:
            default_storage.save(name(asset.public_id), File(file))
    return asset
