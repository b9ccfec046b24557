"""Each kind of strange file ends as docs/operators/media.md says: prepared, or refused with that reason."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageStat

from media import limits
from media.commands import UnplayableMedia
from media.formats import CONTAINERS
from media.transcode import Renditions, transcode
from tests.media.lures import LURES
from tests.media.making import assert_fit_for_annotators, make
from tests.media.strange import GREYS, KINDS, SHORT
from tests.media.table import PAGE, result_of, rows


def is_not_the_cover(made: Renditions, source: Path) -> None:
    assert (made.facts.width, made.facts.frames) == (160, 5)


def shows_pq_as_a_usual_screen_does(made: Renditions, source: Path) -> None:
    """What emits 203 cd/m² (ITU-R BT.2408) is white; a screen raises its signal to 2.4 (BT.1886)."""
    expected = [255 * min(1, candela(signal) / 203) ** (1 / 2.4) for signal in GREYS]
    assert bars_of(made.poster) == pytest.approx(expected, abs=6)


def shows_hlg_as_a_usual_screen_does(made: Renditions, source: Path) -> None:
    """White is at 75 % (BT.2408)."""
    bars = bars_of(made.poster)
    assert (bars[0], bars[-1]) == pytest.approx((0, 255), abs=4)
    assert bars == sorted(bars)
    assert bars[3] > 255 * GREYS[3]  # brighter than the signal as it is


def bars_of(poster: Path) -> list[int]:
    grey = Image.open(poster).convert("L")
    return [grey.getpixel((20 + 40 * bar, 48)) for bar in range(len(GREYS))]


def candela(signal: float) -> float:
    """Per m², of a signal from 0 to 1 (SMPTE ST 2084, equation 4.1)."""
    m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
    root = signal ** (1 / m2)
    return 10_000 * (max(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1)


def is_black_where_nothing_is(made: Renditions, source: Path) -> None:
    poster = Image.open(made.poster).convert("RGB")
    assert poster.getpixel((20, 45)) == pytest.approx((0, 0, 0), abs=4)
    assert poster.getpixel((140, 45)) == pytest.approx((254, 0, 0), abs=8)


def has_no_comb(made: Renditions, source: Path) -> None:
    once = ("-ss", 0.2, "-i")
    combed, woven = (
        Image.open(make(path.with_suffix(".bmp"), *once, path, "-frames:v", 1, "-update", 1)).convert("L")
        for path in (source, made.playback)
    )
    assert made.facts.fps_ratio == "25/1"
    assert comb(woven) < comb(combed) / 4


def comb(grey: Image.Image) -> float:
    """How much neighbouring lines differ, on average."""
    above, below = (grey.crop((0, top, grey.width, top + grey.height - 1)) for top in (0, 1))
    return ImageStat.Stat(ImageChops.difference(above, below)).mean[0]


def has_whole_training_frames(made: Renditions, source: Path) -> None:
    assert {Image.open(frame).size for frame in made.frames} == {(640, 2)}


#: What is seen of some of them beside.
SEEN: dict[str, Callable[[Renditions, Path], None]] = {
    "video with a cover picture": is_not_the_cover,
    "HDR, PQ": shows_pq_as_a_usual_screen_does,
    "HDR, HLG": shows_hlg_as_a_usual_screen_does,
    "see-through": is_black_where_nothing_is,
    "interlaced": has_no_comb,
    "a picture of 1,920 × 2 pixels": has_whole_training_frames,
}


@pytest.mark.parametrize("name", KINDS)
def test_a_strange_file_ends_as_the_table_says(name: str, tmp_path: Path) -> None:
    source = KINDS[name](tmp_path)
    expected = result_of(name)

    if expected.startswith("Prepared"):
        made = transcode(source, tmp_path / "made")
        assert_fit_for_annotators(made)
        SEEN.get(name, lambda made, source: None)(made, source)
    else:
        with pytest.raises(UnplayableMedia) as refused:
            transcode(source, tmp_path / "made")
        assert refused.value.sentence == expected
        assert not (tmp_path / "made").exists() or not list((tmp_path / "made").iterdir())


def test_the_table_lists_exactly_what_is_tried() -> None:
    assert set(rows("Strange files")) == KINDS.keys() | LURES.keys()


def test_the_page_states_the_limits_as_they_are(settings: Any) -> None:
    stated = rows("Limits")

    assert stated == {
        "length": f"{settings.MEDIA_LONGEST_S / 60:g} minutes",
        "size of a picture": f"{limits.PIXELS:,} pixels",
        "streams": f"{limits.STREAMS}",
        "frames a second": f"{limits.SOURCE_FPS:,}",
        "time to read the header": f"{limits.PROBE_S:g} s",
        "time to prepare": f"{limits.PREPARE_S:g} s",
        "computing": f"{limits.CPU_S_A_SECOND} s for each of these seconds",
        "memory": f"{limits.MEMORY // 2**30} GiB",
        "a file that is written": f"{limits.WRITTEN // 2**30} GiB",
        "what ffmpeg says": f"{limits.SAID // 2**20} MiB",
    }
    assert f"`{CONTAINERS}`" in PAGE.read_text(encoding="utf-8")


def test_a_clip_may_be_as_long_as_the_setting_says(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_LONGEST_S = 0.5
    assert transcode(make(tmp_path / "in.mp4", *SHORT, "-c:v", "libx264"), tmp_path / "made").facts.duration_s == 0.5
    settings.MEDIA_LONGEST_S = 0.4
    with pytest.raises(UnplayableMedia, match=r"longer than 0\.4 seconds"):
        transcode(tmp_path / "in.mp4", tmp_path / "made")


def test_costs_are_refused_before_anything_is_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "STREAMS", 0)
    source = make(tmp_path / "in.mp4", *SHORT, "-c:v", "libx264")

    with pytest.raises(UnplayableMedia, match="1 streams"):
        transcode(source, tmp_path / "made")
    assert not (tmp_path / "made").exists()
