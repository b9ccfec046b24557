"""No file leads to another: a secret film lies ready and a server listens, and neither is touched."""

import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from diptych.embedded import binaries
from media.commands import READ_SAFELY, UnplayableMedia
from media.probe import probe
from media.transcode import transcode
from tests.media.lures import LURES, Planted, plant
from tests.media.table import result_of

#: What would follow each of them. The ffmpeg that we bring cannot read DASH or SVG at all.
NAIVE = ("-protocol_whitelist", "file,http,tcp,crypto,udp,rtp")
WOULD_FOLLOW = {
    "HLS playlist that names a file": ("-f", "hls", "-allowed_extensions", "ALL", "-extension_picky", "0"),
    "HLS playlist that names an address": ("-f", "hls", "-allowed_extensions", "ALL", "-extension_picky", "0"),
    "concat script": ("-safe", "0"),
    "MP4 whose picture lies in another file": ("-enable_drefs", "1"),
    "name that is a pattern of pictures": ("-f", "image2"),
    "subtitle that names its pictures (VobSub)": (),
}


@pytest.fixture
def planted(tmp_path: Path) -> Iterator[Planted]:
    (tmp_path / "private").mkdir()
    with plant(tmp_path / "private") as planted:
        yield planted


def look(path: Path, *options: str) -> None:
    """ffprobe as it comes, with `options`."""
    command = [binaries.ffprobe(), "-v", "error", *options, "-show_frames", "-i", f"file:{path}"]
    with suppress(subprocess.TimeoutExpired):  # our server never answers
        subprocess.run(command, check=False, capture_output=True, timeout=1)


@pytest.mark.parametrize("name", LURES)
def test_a_file_that_names_another_leads_nowhere(name: str, tmp_path: Path, planted: Planted) -> None:
    source = LURES[name](tmp_path, planted)

    with pytest.raises(UnplayableMedia) as refused:
        transcode(source, tmp_path / "made")

    assert refused.value.sentence == result_of(name)
    assert planted.touched() == ""


@pytest.mark.parametrize("name", LURES)
def test_so_do_the_options_alone_where_no_network_of_its_own_is_to_be_had(
    name: str, tmp_path: Path, planted: Planted
) -> None:
    source = LURES[name](tmp_path, planted)

    look(source, *(part for option, value in READ_SAFELY.items() for part in (f"-{option}", value)))

    assert planted.touched() == ""


@pytest.mark.parametrize("name", WOULD_FOLLOW)
def test_the_lures_are_real(name: str, tmp_path: Path, planted: Planted) -> None:
    source = LURES[name](tmp_path, planted)

    look(source, *NAIVE, *WOULD_FOLLOW[name])

    assert planted.touched() in {"opened", "called"}


def test_the_watch_is_real(planted: Planted) -> None:
    probe(planted.secret)

    assert planted.touched() == "opened"
