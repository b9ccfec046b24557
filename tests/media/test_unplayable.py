"""Files that cannot be played fail with a reason that a researcher understands, and leave no files behind."""

import random
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from diptych.embedded import binaries
from media.commands import ProgramKilled, UnplayableMedia, last_complaint, run
from media.probe import probe
from media.transcode import transcode
from tests.media.making import make, pattern, tone
from tests.web import wait_for

CODECS = {
    "mp4": ("-c:v", "libx264", "-movflags", "+faststart"),
    "mov": (
        "-c:v",
        "libx265",
        "-preset",
        "ultrafast",
        "-x265-params",
        "log-level=none",
        "-movflags",
        "+faststart",
    ),
    "mkv": ("-c:v", "libx264"),
    "webm": ("-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "2M"),
    "avi": ("-c:v", "mpeg4", "-q:v", "4"),
    "gif": (),
}


def reason_for(source: Path, folder: Path) -> str:
    """Return the reason why `source` is refused, after checking that `folder` is empty."""
    with pytest.raises(UnplayableMedia) as refused:
        transcode(source, folder)
    assert not folder.exists() or not list(folder.iterdir())
    assert str(source) not in refused.value.sentence
    return refused.value.sentence


@pytest.mark.long
@pytest.mark.parametrize("extension", CODECS)
def test_a_truncated_file_is_refused(extension: str, tmp_path: Path) -> None:
    source = make(tmp_path / f"in.{extension}", *pattern(), *CODECS[extension])
    whole = source.read_bytes()
    source.write_bytes(whole[: len(whole) * 6 // 10])

    reason = reason_for(source, tmp_path / "made")

    assert reason.startswith(("The video is damaged", "The video breaks off", "The video is cut off"))


@pytest.mark.long
@pytest.mark.parametrize("extension", [extension for extension in CODECS if extension != "webm"])
def test_a_garbled_file_is_refused(extension: str, tmp_path: Path) -> None:
    """WebM is left out: any bytes within a VP8 frame are a picture, so the damage cannot be detected."""
    source = make(tmp_path / f"in.{extension}", *pattern(), *CODECS[extension])
    content = bytearray(source.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 3000] = random.Random(1).randbytes(3000)
    source.write_bytes(content)

    assert reason_for(source, tmp_path / "made").startswith("The video")


def test_an_mp4_without_its_index_is_refused(tmp_path: Path) -> None:
    source = make(tmp_path / "in.mp4", *pattern(), "-c:v", "libx264")
    source.write_bytes(source.read_bytes()[:-2000])

    assert reason_for(source, tmp_path / "made") == (
        "The file is not a video that ffmpeg can read (moov atom not found). It may be incomplete or damaged."
    )


def test_sound_alone_is_refused(tmp_path: Path) -> None:
    source = make(tmp_path / "in.mp4", *tone(), "-c:a", "aac")

    assert reason_for(source, tmp_path / "made") == "The file has no video stream."


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "in.mp4").touch()

    assert reason_for(tmp_path / "in.mp4", tmp_path / "made") == "The file is empty."


def test_a_text_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "in.mp4").write_text("This is no video.\n" * 100)

    reason = reason_for(tmp_path / "in.mp4", tmp_path / "made")

    assert reason == "The file is text and not a video. Send the video itself."


def test_a_playlist_cannot_reach_another_file(tmp_path: Path) -> None:
    secret = make(tmp_path / "secret.ts", *pattern(seconds=1), "-c:v", "libx264")
    playlist = tmp_path / "in.mp4"
    playlist.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{secret}\n#EXT-X-ENDLIST\n")

    reason_for(playlist, tmp_path / "made")


def test_a_concat_script_cannot_reach_another_file(tmp_path: Path) -> None:
    secret = make(tmp_path / "secret.mp4", *pattern(seconds=1), "-c:v", "libx264")
    script = tmp_path / "in.mp4"
    script.write_text(f"ffconcat version 1.0\nfile {secret}\n")

    reason_for(script, tmp_path / "made")


def test_a_picture_of_one_pixel_is_refused(tmp_path: Path) -> None:
    one_pixel = ("-vf", "format=gbrp,crop=1:1", "-pix_fmt", "gbrp")
    source = make(tmp_path / "in.mkv", *pattern("16x16", seconds=1), *one_pixel, "-c:v", "ffv1")

    assert reason_for(source, tmp_path / "made") == "The picture is too small to show (1 × 1 pixels)."


def test_work_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    source = make(tmp_path / "in.mp4", *pattern(seconds=5), "-c:v", "libx264", "-preset", "ultrafast")

    with pytest.raises(UnplayableMedia, match=r"took longer than 0\.02 seconds"):
        transcode(source, tmp_path / "made", time_limit_s=0.02)
    assert not list((tmp_path / "made").iterdir())


@pytest.mark.long
def test_no_name_is_an_option_or_a_protocol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("-i", "concat:x|y", "100%d.mp4", "two words.mp4"):
        make(tmp_path / name, *pattern(seconds=0.2), "-c:v", "libx264", "-f", "mp4")

        assert probe(Path(name)).frames == 5
        assert transcode(Path(name), tmp_path / f"made {name}").facts.frames == 5


def test_trouble_of_this_machine_is_not_the_files_fault() -> None:
    """It raises OSError, so that the work is retried and the file is not called damaged."""
    script = "echo 'av_write: No space left on device' >&2; exit 1"
    with pytest.raises(OSError, match="could not work here: av_write: No space left on device"):
        run(["/bin/sh", "-c", script], time_limit_s=5)


@pytest.mark.parametrize(
    ("end", "said"), [(signal.SIGKILL, "was ended by signal 9"), (signal.SIGTERM, "was asked to stop")]
)
def test_ffmpeg_ended_from_outside_says_nothing_of_the_file(end: signal.Signals, said: str, tmp_path: Path) -> None:
    """ffmpeg treats SIGTERM as a request: it exits with 255 and without a message."""
    written = tmp_path / "made.mkv"
    quick = ("-c:v", "mpeg4", "-flush_packets", "1")
    encoding = [binaries.ffmpeg(), "-v", "error", "-re", *pattern(seconds=60), *quick, str(written)]

    def end_it() -> None:
        wait_for(lambda: written.exists() and written.stat().st_size, "ffmpeg wrote nothing")
        [running] = [one for one in psutil.Process().children(recursive=True) if str(written) in one.cmdline()]
        running.send_signal(end)

    with ThreadPoolExecutor(1) as pool:
        ending = pool.submit(end_it)
        with pytest.raises(ProgramKilled, match=said):
            run(encoding, time_limit_s=30)
        ending.result()


@pytest.mark.parametrize(
    ("stderr", "expected"),
    [
        ("", ""),
        ("[mov,mp4 @ 0x7f] moov atom not found\nfile:/srv/a/b: Invalid data found when processing input\n",
         "moov atom not found"),
        ("[vist#0:0/h264 @ 0x1] [dec:h264 @ 0x2] corrupt decoded frame\n[in#0 @ 0x3] Terminating thread with "
         "return code -1 (Invalid data found when processing input)\nConversion failed!\n",
         "corrupt decoded frame"),
        ("Conversion failed!\n", "Conversion failed!"),
    ],
)  # fmt: skip
def test_the_complaint_is_the_last_line_that_tells_a_cause(stderr: str, expected: str) -> None:
    assert last_complaint(stderr) == expected
