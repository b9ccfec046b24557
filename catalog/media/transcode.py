"""Turn an uploaded file into what people watch and models learn from, in one run of ffmpeg."""

import math
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ffmpeg
from PIL import Image

from catalog.hashing import sha256_of
from catalog.media.commands import READ_SAFELY, CommandFailed, UnplayableMedia, file_address, run
from catalog.media.names import TRAINING_FRAMES
from catalog.media.probe import Facts, probe
from diptych.embedded import binaries

LONG_SIDE = 1920  # pixels; larger pictures are scaled down to fit, smaller ones never up
SHORT_SIDE = 1080
FRAME_SIDE = 224  # pixels of a training frame, as the published reward models expect
TIME_LIMIT_S = 300.0
THREADS = 2

# A JPEG has one colour matrix and range, whatever the video has.
JFIF_COLOUR = {"out_color_matrix": "smpte170m", "out_range": "pc"}

# ffmpeg mends these and ends well, but an annotator would judge our mending instead of the generator.
_DAMAGE = re.compile(
    r"File ended prematurely|exceeds containing master element|LZW decode failed|error while decoding MB|"
    r"concealing \d+ .* errors|partial file|corrupt (?:decoded|input)|Invalid NAL unit size|Error at MB",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Renditions:
    """The files that one run wrote, with the facts of the playback file and of the source."""

    playback: Path  # H.264 in MP4
    poster: Path  # JPEG of the first frame, at the playback's size
    frames: tuple[Path, ...]  # 8 JPEGs of 224 × 224
    facts: Facts
    source_facts: Facts
    sha256: str  # of the playback file


def transcode(source: Path, folder: Path, *, time_limit_s: float = TIME_LIMIT_S, threads: int = THREADS) -> Renditions:
    """Write `playback.mp4`, `poster.jpg` and `frames/0.jpg` to `7.jpg` into `folder`.

    Everything is written aside and renamed when it is whole, so no partial file ever has a final name.
    Raises `UnplayableMedia` with a reason for a file that ffmpeg cannot read, or reads with damage: a clip
    that breaks off or decodes with errors would be judged for faults that its generator never made. Wrong
    bytes within a VP8 or VP9 frame go unnoticed, since to these codecs any bytes are a picture. Raises
    `OSError` when this machine is to blame, and `ProgramKilled` when ffmpeg crashed or was ended.
    """
    source_facts = probe(source)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".transcoding-", dir=folder) as name:
        aside = Path(name)
        (aside / "every").mkdir()
        _encode(source, source_facts, aside, time_limit_s, threads)
        facts = probe(aside / "playback.mp4")
        _refuse_broken_off(source_facts, facts)
        chosen = _choose_training_frames(aside / "every", facts)
        return _publish(aside, chosen, folder, facts, source_facts)


def playback_size(facts: Facts) -> tuple[int, int]:
    """Width and height in pixels of the playback: even, as 4:2:0 colour needs, and within 1920 × 1080."""
    long_side, short_side = max(facts.width, facts.height), min(facts.width, facts.height)
    shrink = min(1.0, LONG_SIDE / long_side, SHORT_SIDE / short_side)
    width, height = (int(side * shrink + 1e-6) // 2 * 2 for side in (facts.width, facts.height))
    if not width or not height:
        raise UnplayableMedia(f"The picture is too small to show ({facts.width} × {facts.height} pixels).")
    return width, height


def chosen_indices(frames: int) -> list[int]:
    """Indices of up to 8 uniformly spaced frames out of `frames`, the first and the last included."""
    if frames <= TRAINING_FRAMES:
        return list(range(frames))
    return [round(step * (frames - 1) / (TRAINING_FRAMES - 1)) for step in range(TRAINING_FRAMES)]


def _encode(source: Path, facts: Facts, aside: Path, time_limit_s: float, threads: int) -> None:
    graph = _graph(source, facts, aside, threads)
    command = [str(binaries.ffmpeg()), "-nostdin", "-v", "error", "-xerror", "-y"]
    command += ["-filter_complex_threads", str(threads), *graph.get_args()]
    try:
        _, stderr = run(command, time_limit_s=time_limit_s)
    except CommandFailed as failure:
        raise UnplayableMedia(f"The video is damaged or cannot be decoded ({failure.complaint}).") from None
    if damage := _DAMAGE.search(stderr):
        raise UnplayableMedia(f"The video is damaged or incomplete ({damage.group().lower()}).")


def _graph(source: Path, facts: Facts, aside: Path, threads: int) -> Any:
    """One decode, split three ways after the rate is settled, so that all outputs count the same frames.

    Which 8 frames to keep depends on how many there are, and containers miscount or do not count at all. So
    every frame is written small, numbered by its index in the playback file, and the 8 are chosen by index
    afterwards. That is exact for any container, and cheaper than decoding a second time; it costs about 15 kB
    of temporary space a frame. The frames hold the picture before H.264, so models see no artefacts of ours.
    """
    opened = ffmpeg.input(file_address(source), threads=threads, **READ_SAFELY)
    picture = _settled_picture(opened[str(facts.video_index)], facts)
    branches = picture.split()
    watched, first, small = branches[0], branches[1], branches[2]
    still = {"fps_mode": "passthrough", "c:v": "mjpeg", "map_metadata": -1, "threads": 1}
    streams = [watched.filter("format", "yuv420p")]
    if facts.audio_index is not None:
        # A gap at the start or within becomes silence, so sound and picture stay together.
        streams.append(opened[str(facts.audio_index)].filter("aresample", **{"async": 1, "first_pts": 0}))
    return ffmpeg.merge_outputs(
        ffmpeg.output(*streams, file_address(aside / "playback.mp4"), **_playback_options(facts, threads)),
        ffmpeg.output(
            first.filter("scale", **JFIF_COLOUR).filter("format", "yuvj420p"),
            file_address(aside / "poster.jpg"),
            **still, f="image2", update=1, **{"frames:v": 1, "q:v": 3},
        ),
        ffmpeg.output(
            _centre_square(small).filter("format", "yuvj420p"),
            f"{file_address(aside / 'every').replace('%', '%%')}/%d.jpg",
            **still, f="image2", start_number=0, **{"q:v": 2, "huffman": "default"},
        ),
    )  # fmt: skip


def _settled_picture(stream: Any, facts: Facts) -> Any:
    """The picture with its playback rate and size, from time 0 on, with its colour matrix named."""
    width, height = playback_size(facts)
    options: dict[str, Any] = {"w": width, "h": height, "flags": "bicubic", "out_range": "tv"}
    if facts.pixel_format.startswith(("rgb", "bgr", "gbr", "argb", "abgr", "pal8")):
        options["out_color_matrix"] = "bt709"
    elif facts.colour_matrix is None:
        # Browsers guess by height where the file is silent; naming it makes browser, poster and models agree.
        guess = "bt709" if facts.height >= 720 else "smpte170m"
        stream = stream.filter("setparams", colorspace=guess)
    # Matroska starts the picture some 20 ms late when its sound is primed; filling that in would show the
    # first frame twice. A real gap before the picture is filled, to keep sound and picture together.
    stream = stream.filter("setpts", "if(lt(STARTT,0.1),PTS-STARTPTS,PTS)")
    stream = stream.filter("fps", fps=facts.fps_ratio, start_time=0)
    if facts.square_pixels:
        # An odd size loses one row or column rather than have every pixel resampled.
        stream = stream.filter("crop", w="trunc(iw/2)*2", h="trunc(ih/2)*2", x=0, y=0)
    return stream.filter("scale", **options).filter("setsar", "1")


def _centre_square(stream: Any) -> Any:
    """Short side to 224, then the centre 224 × 224: the frame preparation of the published reward models."""
    fit = {"w": FRAME_SIDE, "h": FRAME_SIDE, "force_original_aspect_ratio": "increase", "flags": "bicubic"}
    return stream.filter("scale", **fit, **JFIF_COLOUR).filter("crop", FRAME_SIDE, FRAME_SIDE)


def _playback_options(facts: Facts, threads: int) -> dict[str, Any]:
    """Encoder and container settings, chosen for stepping and seeking rather than for the last byte."""
    group = max(1, math.floor(facts.rate / 2))  # frames between key frames: at most half a second
    return {
        "c:v": "libx264", "preset": "veryfast", "crf": 18, "threads": threads, "fps_mode": "passthrough",
        "g": group, "keyint_min": group, "sc_threshold": 0, "flags": "+cgop",
        "bf": 0,  # no reordering: the first frame is at 0 without an edit list, and a step back decodes less
        "c:a": "aac", "b:a": "128k", "ac": 2, "ar": 48000,
        "map_metadata": -1, "map_chapters": -1, "fflags": "+bitexact", "movflags": "+faststart", "f": "mp4",
    }  # fmt: skip


def _refuse_broken_off(source: Facts, playback: Facts) -> None:
    """Some truncated files decode without complaint; then the picture is shorter than its header says."""
    missing_s = source.duration_s - playback.duration_s
    if source.picture_duration_stated and missing_s > max(0.5, 0.1 * source.duration_s):
        raise UnplayableMedia(
            f"The video breaks off: its header promises {source.duration_s:.1f} s of picture, "
            f"but only {playback.duration_s:.1f} s can be decoded."
        )


def _choose_training_frames(every: Path, facts: Facts) -> list[Path]:
    """The 8 chosen of all numbered frames, in order, padded at the end with black."""
    written = sum(1 for _ in every.iterdir())
    if written != facts.frames:
        raise UnplayableMedia(f"The video's frames cannot be counted ({facts.frames} or {written}).")
    chosen = [every / f"{index}.jpg" for index in chosen_indices(written)]
    while len(chosen) < TRAINING_FRAMES:
        black = every / f"black{len(chosen)}.jpg"
        Image.new("RGB", (FRAME_SIDE, FRAME_SIDE)).save(black, quality=95)
        chosen.append(black)
    return chosen


def _publish(aside: Path, chosen: list[Path], folder: Path, facts: Facts, source_facts: Facts) -> Renditions:
    """Rename the whole files to their final names; the playback last, as it is what makes a clip showable."""
    (folder / "frames").mkdir(exist_ok=True)
    frames = tuple(folder / "frames" / f"{number}.jpg" for number in range(TRAINING_FRAMES))
    for written, final in zip(chosen, frames, strict=True):
        os.replace(written, final)
    os.replace(aside / "poster.jpg", folder / "poster.jpg")
    os.replace(aside / "playback.mp4", folder / "playback.mp4")
    with (folder / "playback.mp4").open("rb") as playback:
        digest = sha256_of(playback)
    return Renditions(folder / "playback.mp4", folder / "poster.jpg", frames, facts, source_facts, digest)
