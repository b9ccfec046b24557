"""Transcode an original file into files to watch and to train on, in one run of ffmpeg."""

import os
import re
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from diptych.embedded import binaries
from media import animations, decoders, limits, notes
from media.commands import CommandFailed, UnplayableMedia, run
from media.costs import refuse_costly, refuse_long
from media.graph import cut_graph, filter_graph, frames_graph, playback_size, small_size_of
from media.hashing import sha256_of
from media.names import TRAINING_FRAMES
from media.probe import Facts, probe, refuse_too_large
from media.stills import Measures, Stills

THREADS = 2

# ffmpeg repairs such damage and succeeds. But annotators would then judge the repair and not the generator.
_DAMAGE = re.compile(
    r"File ended prematurely|exceeds containing master element|LZW decode failed|error while decoding MB|"
    r"concealing \d+ .* errors|partial file|corrupt (?:decoded|input)|Invalid NAL unit size|Error at MB",
    re.IGNORECASE,
)
#: ffmpeg knows the codec but does not support a part of it. The file itself may be fine.
_UNSUPPORTED = re.compile(
    r"no decoder found|Decoder (?:not found|\(codec \w+\) not found)|hardware accelerated AV1 decoding|"
    r"patches welcome|is not implemented|not supported by (?:this|the) decoder",
    re.IGNORECASE,
)
#: Sound ends with a complete block of samples, so it may end a little after the picture.
_BARELY_LONGER_S = 0.05
#: A note is stored if the sound that was cut off is longer than this many seconds.
_WORTH_A_NOTE_S = 1.0


class Deadline(NamedTuple):
    """The end of the time for one file, in seconds of `time.monotonic`, and the whole limit in seconds."""

    moment: float
    limit_s: float

    @classmethod
    def after(cls, limit_s: float) -> "Deadline":
        return cls(time.monotonic() + limit_s, limit_s)

    @property
    def left_s(self) -> float:
        return max(0.001, self.moment - time.monotonic())


class DamagedMedia(UnplayableMedia):
    """ffmpeg reported damage of the picture or of the sound."""


@dataclass(frozen=True)
class Renditions:
    """The files that were made of one original, with the facts of the playback file and of the original."""

    playback: Path  # H.264 in MP4
    poster: Path  # JPEG of the first frame, at the playback's size
    strip: Path  # JPEG of 8 small pictures side by side
    frames: tuple[Path, ...]  # 8 JPEGs of the whole picture; see `frame_size_of`
    facts: Facts
    source_facts: Facts
    sha256: str  # of the playback file
    keyframes: tuple[int, ...]  # indices, the greatest change first
    psnr_to_first: tuple[float, ...]  # dB, of the first training frame against each later one
    frame_hashes: tuple[int, ...]  # 3 words for each of 8 frames; see `likeness`
    notes: tuple[str, ...] = ()  # codes of what was left out; see `notes`


def transcode(
    source: Path, folder: Path, *, time_limit_s: float = limits.PREPARE_S, threads: int = THREADS
) -> Renditions:
    """Write `playback.mp4`, `poster.jpg`, `strip.jpg` and `frames/0.jpg` to `7.jpg` into `folder`.

    Files are written to a temporary folder and renamed when they are complete, so no partial file has a final name.
    Raises `UnplayableMedia` for a file that exceeds a limit, that ffmpeg cannot read, or that is damaged. Annotators
    would otherwise judge faults that the generator did not make. Wrong bytes within a VP8 or VP9 frame are not noticed,
    since these codecs decode any bytes to a picture. Raises `OSError` if this machine is to blame, and `ProgramKilled`
    if ffmpeg crashed or was ended.
    """
    facts = probe(source)
    refuse_costly(facts)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".transcoding-", dir=folder) as name:
        aside = Path(name)
        slowed = animations.with_browser_delays(source, aside / "original")
        if slowed != source:
            source, facts = slowed, probe(slowed)
            refuse_costly(facts)
        until = Deadline.after(time_limit_s)
        said: tuple[str, ...] = ()
        if facts.audio_codec is not None and not decoders.can_decode(facts.audio_codec):
            facts, said = _without_sound(facts), (notes.SOUND_UNDECODABLE,)
        try:
            return _make(source, facts, folder, aside / "all", until=until, threads=threads, said=said)
        except DamagedMedia:
            if facts.audio_index is None:
                raise
            # Perhaps only the sound is damaged. If not, the damage of the picture is the reason to report.
            mute, said = _without_sound(facts), (notes.SOUND_DAMAGED,)
            return _make(source, mute, folder, aside / "mute", until=until, threads=threads, said=said)


def _without_sound(facts: Facts) -> Facts:
    return replace(facts, audio_codec=None, audio_index=None)


def _make(
    source: Path,
    source_facts: Facts,
    folder: Path,
    aside: Path,
    *,
    until: Deadline,
    threads: int,
    said: tuple[str, ...],
) -> Renditions:
    """Write all files into `aside`, then rename them into `folder`. ffmpeg must finish by `until`."""
    (aside / "cut").mkdir(parents=True)
    with ThreadPoolExecutor(1) as beside:
        _run(filter_graph(source, source_facts, aside, threads, _likely_indices(source_facts)), until)
        stills = Stills(aside / "small.yuv", small_size_of(playback_size(source_facts)))
        chosen = chosen_indices(len(stills))
        measures = beside.submit(stills.measure, aside / "strip.jpg", chosen)
        facts = probe(aside / "playback.mp4")
        refuse_long(facts.duration_s)
        _refuse_broken_off(source_facts, facts)
        _refuse_miscounted(stills, facts)
        if facts.whole_duration_s - facts.duration_s > _BARELY_LONGER_S:
            facts = _cut_sound(aside, facts, until)
            said += _sound_cut(source_facts, facts)
        cut = [aside / "cut" / f"{index}.jpg" for index in chosen]
        if not all(frame.exists() for frame in cut):
            _run(frames_graph(source, source_facts, aside, threads, chosen), until)
            if not all(frame.exists() for frame in cut):
                raise UnplayableMedia("frames_differ")
        return _publish(aside, cut, folder, facts, source_facts, measures.result(), said)


def _cut_sound(aside: Path, facts: Facts, until: Deadline) -> Facts:
    """Cut the sound where the picture ends. Return the facts of the new playback file.

    The length of the picture is known only now, since a header may state anything.
    """
    _run(cut_graph(aside / "playback.mp4", aside / "shorter.mp4", facts.duration_s), until)
    os.replace(aside / "shorter.mp4", aside / "playback.mp4")
    return probe(aside / "playback.mp4")


def _sound_cut(source: Facts, playback: Facts) -> tuple[str, ...]:
    return (notes.SOUND_CUT,) if source.whole_duration_s - playback.duration_s > _WORTH_A_NOTE_S else ()


def chosen_indices(frames: int) -> list[int]:
    """Return the indices of up to 8 evenly spaced frames out of `frames`, including the first and the last."""
    if frames <= TRAINING_FRAMES:
        return list(range(frames))
    return [round(step * (frames - 1) / (TRAINING_FRAMES - 1)) for step in range(TRAINING_FRAMES)]


def _likely_indices(facts: Facts) -> list[int]:
    """Return the indices of the training frames, if the header states the right number of frames.

    Some containers miscount, or do not count at all. Then the missing frames are cut in a second run, after the frames
    are counted. Writing every frame in the first run would cost each file a tenth more time.
    """
    return chosen_indices(max(1, round(facts.duration_s * facts.rate)))


def _run(wanted: Any, until: Deadline) -> None:
    """Run ffmpeg on a graph. It must finish by `until`.

    Raises `DamagedMedia` for damage, even if ffmpeg repairs it, and `UnplayableMedia` if ffmpeg cannot decode the file.
    """
    command = [str(binaries.ffmpeg()), "-nostdin", "-v", "error", "-xerror", "-y"]
    # Decoder and encoder use the threads. Splitting small pictures among more threads costs 4 % of the time.
    command += ["-filter_complex_threads", "1", *wanted.get_args()]
    try:
        _, stderr = run(command, time_limit_s=until.left_s, stated_limit_s=until.limit_s)
    except CommandFailed as failure:
        refuse_too_large(failure.stderr)
        if unsupported := _UNSUPPORTED.search(failure.stderr):
            raise UnplayableMedia("feature_not_decodable", feature=unsupported.group().lower()) from None
        raise DamagedMedia("damaged", complaint=failure.complaint) from None
    if damage := _DAMAGE.search(stderr):
        raise DamagedMedia("incomplete", complaint=damage.group().lower())


def _refuse_broken_off(source: Facts, playback: Facts) -> None:
    """Raise UnplayableMedia if the picture is shorter than its header states. Some truncated files decode silently."""
    missing_s = source.duration_s - playback.duration_s
    if source.picture_duration_stated and missing_s > max(0.5, 0.1 * source.duration_s):
        raise UnplayableMedia("breaks_off", promised=f"{source.duration_s:.1f}", decoded=f"{playback.duration_s:.1f}")


def _refuse_miscounted(stills: Stills, facts: Facts) -> None:
    """Raise UnplayableMedia unless all outputs have the same number of frames, which indices rely on."""
    if len(stills) != facts.frames:
        raise UnplayableMedia("frames_not_countable", one=str(facts.frames), other=str(len(stills)))


def _publish(
    aside: Path,
    cut: list[Path],
    folder: Path,
    facts: Facts,
    source_facts: Facts,
    measures: Measures,
    said: tuple[str, ...],
) -> Renditions:
    """Rename the complete files to their final names. The playback comes last, since it makes the clip playable."""
    (folder / "frames").mkdir(exist_ok=True)
    frames = tuple(folder / "frames" / f"{number}.jpg" for number in range(TRAINING_FRAMES))
    for written, final in zip(_padded(cut), frames, strict=True):
        os.replace(written, final)
    for name in ("poster.jpg", "strip.jpg", "playback.mp4"):
        os.replace(aside / name, folder / name)
    with (folder / "playback.mp4").open("rb") as playback:
        digest = sha256_of(playback)
    return Renditions(
        playback=folder / "playback.mp4",
        poster=folder / "poster.jpg",
        strip=folder / "strip.jpg",
        frames=frames,
        facts=facts,
        source_facts=source_facts,
        sha256=digest,
        notes=said,
        **measures._asdict(),
    )


def _padded(cut: list[Path]) -> list[Path]:
    """Return the training frames in order, with black ones at the end to make 8."""
    frames = list(cut)
    with Image.open(cut[0]) as first:
        size = first.size
    while len(frames) < TRAINING_FRAMES:
        black = cut[0].with_name(f"black{len(frames)}.jpg")
        Image.new("RGB", size).save(black, quality=95)
        frames.append(black)
    return frames
