"""Each kind of unusual file ends as docs/operators/media.md states: prepared, or refused with that reason."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageStat

from media import limits, notes
from media.commands import UnplayableMedia
from media.formats import CONTAINERS
from media.transcode import Renditions, transcode
from tests.media import strange_content, strange_tracks
from tests.media.lures import LURES
from tests.media.making import assert_fit_for_annotators, difference, make, stream
from tests.media.strange import GREYS, KINDS, SHORT
from tests.media.table import PAGE, result_of, rows


def is_not_the_cover(made: Renditions, source: Path) -> None:
    assert (made.facts.width, made.facts.frames) == (160, 5)


def shows_pq_as_a_usual_screen_does(made: Renditions, source: Path) -> None:
    """Check the bars: 203 cd/m² is white (ITU-R BT.2408), and a screen has a gamma of 2.4 (BT.1886)."""
    expected = [255 * min(1, candela(signal) / 203) ** (1 / 2.4) for signal in GREYS]
    assert bars_of(made.poster) == pytest.approx(expected, abs=6)


def shows_hlg_as_a_usual_screen_does(made: Renditions, source: Path) -> None:
    """Check the bars: white is at 75 % (BT.2408)."""
    bars = bars_of(made.poster)
    assert (bars[0], bars[-1]) == pytest.approx((0, 255), abs=4)
    assert bars == sorted(bars)
    assert bars[3] > 255 * GREYS[3]  # brighter than the signal as it is


def bars_of(poster: Path) -> list[int]:
    grey = Image.open(poster).convert("L")
    return [grey.getpixel((20 + 40 * bar, 48)) for bar in range(len(GREYS))]


def candela(signal: float) -> float:
    """Return cd/m² for a signal from 0 to 1 (SMPTE ST 2084, equation 4.1)."""
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
    """Return the average difference between neighbouring lines."""
    above, below = (grey.crop((0, top, grey.width, top + grey.height - 1)) for top in (0, 1))
    return ImageStat.Stat(ImageChops.difference(above, below)).mean[0]


def has_whole_training_frames(made: Renditions, source: Path) -> None:
    assert {Image.open(frame).size for frame in made.frames} == {(640, 2)}


def has_five_frames_at_ten(made: Renditions, source: Path) -> None:
    """Check that all frames of the source are there, each for 100 ms."""
    assert (made.facts.frames, made.facts.fps_ratio, made.notes) == (5, "10/1", ())
    first, last = (Image.open(made.frames[number]).convert("RGB") for number in (0, 4))
    assert difference(first, last) > 1


def is_red_beside_black(made: Renditions, source: Path) -> None:
    has_five_frames_at_ten(made, source)
    is_black_where_nothing_is(made, source)


def has_lost_its_sound(made: Renditions, source: Path) -> None:
    expected = notes.SOUND_UNDECODABLE if source.suffix == ".mkv" else notes.SOUND_DAMAGED
    assert made.notes == (expected,)
    assert (made.facts.frames, made.facts.audio_codec, made.source_facts.audio_codec) == (5, None, None)


def has_sound_as_long_as_the_picture(made: Renditions, source: Path) -> None:
    assert made.notes == (notes.SOUND_CUT,)
    assert (made.facts.frames, made.facts.duration_s, made.facts.audio_codec) == (5, 0.5, "aac")
    assert 0.45 < float(stream(made.playback, "a")["duration"]) < 0.55


def has_sound(made: Renditions, source: Path) -> None:
    assert (made.facts.frames, made.facts.audio_codec, made.notes) == (5, "aac", ())


def keeps_its_sound(made: Renditions, source: Path) -> None:
    assert (made.facts.audio_codec, made.notes) == ("aac", ())
    assert float(stream(made.playback, "a")["duration"]) == pytest.approx(made.facts.duration_s, abs=0.1)


def stands_until_the_picture_begins(made: Renditions, source: Path) -> None:
    assert (made.facts.frames, made.notes) == (15, ())
    assert float(stream(made.playback, "a")["duration"]) == pytest.approx(1.5, abs=0.05)
    first, second, last = (Image.open(made.frames[number]).convert("RGB") for number in (0, 3, 7))
    assert difference(first, second) < 1 < difference(first, last)


def begins_at_the_cut(made: Renditions, source: Path) -> None:
    assert made.facts.frames == 7
    seen = Image.open(made.poster).convert("RGB")
    whole = source.with_name("good.mp4")
    at = [
        Image.open(make(whole.with_name(f"{n}.bmp"), "-i", whole, "-vf", f"select=eq(n\\,{n})", "-frames:v", 1))
        for n in (10, 13)
    ]
    assert difference(seen, at[1].convert("RGB")) < difference(seen, at[0].convert("RGB"))


def is_the_larger(made: Renditions, source: Path) -> None:
    assert (made.facts.width, made.source_facts.video_index) == (160, 1)


def is_the_default(made: Renditions, source: Path) -> None:
    assert (made.facts.width, made.source_facts.video_index) == (64, 0)


def keeps_its_rate(made: Renditions, source: Path) -> None:
    assert (made.facts.fps_ratio, made.facts.frames) == ("25/1", 15)


def shows_no_frame_twice(made: Renditions, source: Path) -> None:
    assert (made.facts.fps_ratio, made.facts.frames) == ("5/1", 10)
    assert difference(*(Image.open(made.frames[number]).convert("RGB") for number in (0, 1))) > 1


def has_its_own_length(made: Renditions, source: Path) -> None:
    assert made.source_facts.duration_s == pytest.approx(0.5, abs=0.05)
    assert made.facts.frames == 5


def has_one_size(made: Renditions, source: Path) -> None:
    assert (made.facts.width, made.facts.height, made.facts.frames) == (160, 90, 10)
    small, later, large = (Image.open(made.frames[number]).convert("RGB") for number in (0, 2, 4))
    assert difference(small, large) < difference(small, later)  # the fifth frame is the same as the first


#: Additional checks of some kinds.
SEEN: dict[str, Callable[[Renditions, Path], None]] = {
    "video with a cover picture": is_not_the_cover,
    "HDR, PQ": shows_pq_as_a_usual_screen_does,
    "HDR, HLG": shows_hlg_as_a_usual_screen_does,
    "see-through": is_black_where_nothing_is,
    "interlaced": has_no_comb,
    "a picture of 1,920 × 2 pixels": has_whole_training_frames,
    "AV1": has_five_frames_at_ten,
    "AVIF that moves": has_five_frames_at_ten,
    "APNG": has_five_frames_at_ten,
    "PNG in MOV": has_five_frames_at_ten,
    "animated WebP": has_five_frames_at_ten,
    "APNG, see-through": is_red_beside_black,
    "animated WebP, see-through": is_red_beside_black,
    "VP9, see-through": is_red_beside_black,
    "H.265 of 10 bits": has_five_frames_at_ten,
    "GIF with delays of 0": has_five_frames_at_ten,
    "GIF with delays of 10 ms": has_five_frames_at_ten,
    "APNG with delays of 10 ms": has_five_frames_at_ten,
    "WebP with delays of 10 ms": has_five_frames_at_ten,
    "damaged sound": has_lost_its_sound,
    "sound of an unknown kind": has_lost_its_sound,
    "sound longer than the picture": has_sound_as_long_as_the_picture,
    "sound longer than the picture, in Matroska": has_sound_as_long_as_the_picture,
    "mono that says “left”": has_sound,
    "sound that changes its rate and channels": keeps_its_sound,
    "picture that begins after the sound": stands_until_the_picture_begins,
    "trimmed by an edit list": begins_at_the_cut,
    "two pictures, none the default": is_the_larger,
    "two pictures, the smaller the default": is_the_default,
    "MPEG-1": keeps_its_rate,
    "Xvid with B-frames": shows_no_frame_twice,
    "Matroska with a wrong length tag": has_its_own_length,
    "VP8 that changes size": has_one_size,
}


assert strange_content
assert strange_tracks  # importing the module adds its kinds


@pytest.mark.long
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


@pytest.mark.long
def test_the_table_lists_exactly_what_is_tried() -> None:
    assert set(rows("Strange files")) == KINDS.keys() | LURES.keys()


@pytest.mark.long
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
        "messages of ffmpeg": f"{limits.SAID // 2**20} MiB",
    }
    assert f"`{CONTAINERS}`" in PAGE.read_text(encoding="utf-8")


@pytest.mark.long
def test_a_clip_may_be_as_long_as_the_setting_says(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_LONGEST_S = 0.5
    assert transcode(make(tmp_path / "in.mp4", *SHORT, "-c:v", "libx264"), tmp_path / "made").facts.duration_s == 0.5
    settings.MEDIA_LONGEST_S = 0.4
    with pytest.raises(UnplayableMedia, match=r"longer than 0\.4 seconds"):
        transcode(tmp_path / "in.mp4", tmp_path / "made")


@pytest.mark.long
def test_costs_are_refused_before_anything_is_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "STREAMS", 0)
    source = make(tmp_path / "in.mp4", *SHORT, "-c:v", "libx264")

    with pytest.raises(UnplayableMedia, match="1 streams"):
        transcode(source, tmp_path / "made")
    assert not (tmp_path / "made").exists()
