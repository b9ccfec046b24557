"""The results of a transcode, for many kinds of input."""

from fractions import Fraction
from pathlib import Path

import pytest
from PIL import Image, ImageStat

from demo.clips import make_clip
from demo.takes import Take, takes
from media.probe import probe
from media.transcode import chosen_indices, transcode
from tests.media.making import assert_fit_for_annotators, difference, make, pattern, shown, stream, tone
from tests.media.workers import sha256_of_path


def one_take_an_encoding() -> list[Take]:
    """Return the first clip of the demo in each of its encodings."""
    first: dict[object, Take] = {}
    for take in takes():
        if not take.broken:
            first.setdefault(take.encoding, take)
    return list(first.values())


@pytest.mark.long
@pytest.mark.parametrize("take", one_take_an_encoding(), ids=lambda take: take.key)
def test_every_kind_of_demo_clip_becomes_fit_for_annotators(take: Take, tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    source = make_clip(take, tmp_path)

    made = transcode(source, tmp_path / "made")

    assert_fit_for_annotators(made)
    assert made.facts.rate == Fraction(take.encoding.rate)
    assert made.facts.frames == pytest.approx(take.seconds * made.facts.fps, abs=1)
    assert (made.facts.width, made.facts.height) == tuple(side // 2 * 2 for side in take.size)
    assert (made.facts.audio_codec == "aac") == bool(take.encoding.audio)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ("321x181", (320, 180)),
        pytest.param("2560x1440", (1920, 1080), marks=pytest.mark.long),
        pytest.param("1080x2400", (864, 1920), marks=pytest.mark.long),
        pytest.param("64x2000", (60, 1920), marks=pytest.mark.long),
    ],
)
def test_sizes_become_even_and_fit_without_enlarging(size: str, expected: tuple[int, int], tmp_path: Path) -> None:
    source = make(tmp_path / "in.mkv", *pattern(size, "10", 0.3), "-c:v", "ffv1", "-pix_fmt", "yuv444p")

    made = transcode(source, tmp_path / "made")

    assert (made.facts.width, made.facts.height) == expected
    assert_fit_for_annotators(made)


def test_rotated_phone_video_is_shown_upright(tmp_path: Path) -> None:
    flat = make(tmp_path / "flat.mp4", *pattern(seconds=0.5), "-c:v", "libx264")
    source = make(tmp_path / "in.mp4", "-display_rotation", 90, "-i", flat, "-c", "copy")

    made = transcode(source, tmp_path / "made")

    assert (made.source_facts.width, made.source_facts.height) == (180, 320)
    assert (made.facts.width, made.facts.height) == (180, 320)
    assert Image.open(made.poster).size == (180, 320)


def test_wide_pixels_become_square(tmp_path: Path) -> None:
    source = make(tmp_path / "in.mp4", *pattern("160x180", seconds=0.5), "-vf", "setsar=2", "-c:v", "libx264")

    made = transcode(source, tmp_path / "made")

    assert (made.facts.width, made.facts.height) == (320, 180)
    assert stream(made.playback, "v")["sample_aspect_ratio"] == "1:1"


@pytest.mark.parametrize(
    ("rate", "expected"), [("120", "60/1"), ("24000/1001", "24000/1001"), ("15", "15/1"), ("1/2", "1/1")]
)
def test_frame_rate_is_the_sources_own_up_to_60(rate: str, expected: str, tmp_path: Path) -> None:
    source = make(tmp_path / "in.mkv", *pattern("64x64", rate, 4), "-c:v", "ffv1")

    made = transcode(source, tmp_path / "made")

    assert made.facts.fps_ratio == expected
    assert made.facts.duration_s == pytest.approx(4, abs=0.05)


def test_a_varying_rate_becomes_constant_over_the_same_time(tmp_path: Path) -> None:
    slow_down = "setpts='if(lt(N,20),N/25,0.8+(N-20)*0.0731)/TB'"
    source = make(
        tmp_path / "in.mp4", *pattern(rate="25", seconds=2), "-vf", slow_down, "-fps_mode", "vfr",
        "-video_track_timescale", 90000, "-c:v", "libx264",
    )  # fmt: skip

    made = transcode(source, tmp_path / "made")

    assert_fit_for_annotators(made)
    assert made.facts.duration_s == pytest.approx(probe(source).duration_s, abs=0.15)


def test_a_gif_whose_last_frame_is_held_keeps_its_rate_and_length(tmp_path: Path) -> None:
    source = make(tmp_path / "in.gif", *pattern(rate="10", seconds=1), "-final_delay", 110)

    made = transcode(source, tmp_path / "made")

    assert made.facts.fps_ratio == "10/1"
    assert made.facts.frames == 20


def test_sound_that_starts_first_shows_no_frame_twice(tmp_path: Path) -> None:
    arguments = (*pattern(seconds=1), *tone(1), "-c:v", "libx264", "-c:a", "aac")
    with_priming = make(tmp_path / "in.mkv", "-copyts", "-itsoffset", "0.023", *arguments)

    made = transcode(with_priming, tmp_path / "made")

    assert made.facts.frames == 25
    assert float(stream(made.playback, "v")["start_time"]) == 0
    assert float(stream(made.playback, "a")["start_time"]) == 0
    assert difference(Image.open(made.frames[0]), Image.open(made.frames[1])) > 1


def test_sources_metadata_is_not_passed_on(tmp_path: Path) -> None:
    tags = ("-metadata", "title=a private title", "-metadata", "location=+52.5+013.4/")
    source = make(tmp_path / "in.mp4", *pattern(seconds=0.3), "-c:v", "libx264", *tags)
    assert b"a private title" in source.read_bytes()

    made = transcode(source, tmp_path / "made")

    assert b"a private title" not in made.playback.read_bytes()
    assert "52.5" not in str(shown(made.playback, "-show_entries", "format_tags:stream_tags"))


def test_training_frames_are_the_first_to_the_last_evenly_spaced(tmp_path: Path) -> None:
    """The grey level of each frame is ten times its number, so that a picture identifies its frame."""
    grey = "color=black:s=256x256:r=10:d=2.2,format=gray,geq=lum='10*N',format=yuv420p"
    source = make(tmp_path / "in.mkv", "-f", "lavfi", "-i", grey, "-c:v", "ffv1", "-color_range", "pc")

    made = transcode(source, tmp_path / "made")

    levels = [ImageStat.Stat(Image.open(frame).convert("L")).mean[0] for frame in made.frames]
    numbers = [round(level / 10) for level in levels]
    assert made.facts.frames == 22
    assert numbers == [0, 3, 6, 9, 12, 15, 18, 21] == chosen_indices(22)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ("1280x720", (284, 160)),
        ("720x1280", (160, 284)),
        ("480x480", (160, 160)),
        ("64x64", (160, 160)),  # smaller pictures are enlarged
        ("1080x2400", (160, 356)),
        ("2560x1080", (380, 160)),  # from 1920 × 810, the size of the playback file
        ("1200x100", (640, 54)),  # the long side has at most 640 pixels
    ],
)
def test_training_frames_show_the_whole_picture(size: str, expected: tuple[int, int], tmp_path: Path) -> None:
    """The source has a red edge on all four sides, an eighth of its short side wide, and so has each frame."""
    short_side = min(map(int, size.split("x")))
    edged = f"color=white:s={size}:r=10:d=1,format=gbrp,drawbox=color=red:t={short_side // 8}"
    source = make(tmp_path / "in.mkv", "-f", "lavfi", "-i", edged, "-c:v", "ffv1")

    made = transcode(source, tmp_path / "made")

    for path in made.frames:
        facts = stream(path, "v")
        assert (facts["codec_name"], facts["width"], facts["height"]) == ("mjpeg", *expected)
        assert facts.get("sample_aspect_ratio", "1:1") == "1:1"
        frame = Image.open(path).convert("RGB")
        across, down = frame.width // 2, frame.height // 2
        for place in ((2, down), (frame.width - 3, down), (across, 2), (across, frame.height - 3)):
            assert frame.getpixel(place) == pytest.approx((255, 0, 0), abs=40), place
        assert frame.getpixel((across, down)) == pytest.approx((255, 255, 255), abs=10)


def test_training_frames_of_a_file_that_does_not_say_how_long_it_is_are_the_same(tmp_path: Path) -> None:
    """The header does not state the number of frames, so they are cut after all are counted."""
    grey = "color=black:s=256x256:r=10:d=2.2,format=gray,geq=lum='10*N',format=yuv420p"
    arguments = ("-f", "lavfi", "-i", grey, "-c:v", "ffv1", "-color_range", "pc")
    sources = [
        make(tmp_path / "stated.mkv", *arguments),
        make(tmp_path / "silent.mkv", *arguments, "-f", "matroska", "-live", 1),
    ]
    assert probe(sources[1]).duration_s == 0

    stated, silent = (transcode(source, source.with_suffix("")) for source in sources)

    assert silent.facts.frames == 22
    assert [path.read_bytes() for path in silent.frames] == [path.read_bytes() for path in stated.frames]


def test_first_and_last_training_frame_show_the_playbacks_first_and_last_picture(tmp_path: Path) -> None:
    source = make(tmp_path / "in.mp4", *pattern("400x300", seconds=1), "-c:v", "libx264", "-crf", 10)

    made = transcode(source, tmp_path / "made")

    def at(moment: int) -> Image.Image:
        chosen = f"select=eq(n\\,{moment}),scale=214:160"
        arguments = ("-i", made.playback, "-vf", chosen, "-frames:v", 1)
        return Image.open(make(tmp_path / f"{moment}.bmp", *arguments)).convert("RGB")

    for number, moment, neighbour in ((0, 0, 1), (7, 24, 23)):
        frame = Image.open(made.frames[number])
        assert difference(frame, at(moment)) < 6
        assert difference(frame, at(moment)) < difference(frame, at(neighbour))


@pytest.mark.parametrize("colour", ["#d02020", "#20b040", "#2040d0", "#e0c020"])
@pytest.mark.parametrize(("size", "pixels"), [("256x256", "yuv420p"), ("1280x720", "yuv420p"), ("256x256", "gbrp")])
def test_colours_stay_what_they_were(colour: str, size: str, pixels: str, tmp_path: Path) -> None:
    source_colours = "bt709" if size == "1280x720" else "smpte170m"
    matrix = f"scale=out_color_matrix={source_colours}:out_range=tv,format={pixels}"
    plain = f"color={colour}:s={size}:r=10:d=0.2,format=gbrp"
    source = make(tmp_path / "in.mkv", "-f", "lavfi", "-i", plain, "-vf", matrix, "-c:v", "ffv1",
                  "-colorspace", "unknown" if pixels == "yuv420p" else "rgb")  # fmt: skip

    made = transcode(source, tmp_path / "made")

    expected = Image.new("RGB", (1, 1), colour).getpixel((0, 0))
    for picture in (made.poster, made.frames[0]):
        shown_colour = Image.open(picture).convert("RGB").getpixel((100, 100))
        assert shown_colour == pytest.approx(expected, abs=6), picture.name


def test_fewer_than_eight_frames_are_padded_with_black(tmp_path: Path) -> None:
    source = make(tmp_path / "in.mkv", "-f", "lavfi", "-i", "color=white:s=64x64:r=10:d=0.3", "-c:v", "ffv1")

    made = transcode(source, tmp_path / "made")

    levels = [ImageStat.Stat(Image.open(frame).convert("L")).mean[0] for frame in made.frames]
    assert made.facts.frames == 3
    assert all(level > 250 for level in levels[:3])
    assert levels[3:] == [0] * 5
    assert {Image.open(frame).size for frame in made.frames} == {(160, 160)}


def test_nothing_is_left_beside_the_renditions(tmp_path: Path) -> None:
    source = make(tmp_path / "in.mp4", *pattern(seconds=0.5), "-c:v", "libx264")

    transcode(source, tmp_path / "made")
    transcode(source, tmp_path / "made")  # a second run replaces the first

    found = sorted(str(path.relative_to(tmp_path / "made")) for path in (tmp_path / "made").rglob("*"))
    assert found == sorted(
        ["playback.mp4", "poster.jpg", "strip.jpg", "frames", *(f"frames/{n}.jpg" for n in range(8))]
    )


def test_the_same_source_gives_the_same_bytes(tmp_path: Path) -> None:
    source = make(tmp_path / "in.mp4", *pattern(seconds=0.5), *tone(0.5), "-c:v", "libx264", "-c:a", "aac")

    once, again = (transcode(source, tmp_path / name) for name in ("once", "again"))

    assert once.sha256 == again.sha256 == sha256_of_path(again.playback)


@pytest.mark.parametrize(
    ("frames", "expected"),
    [(1, [0]), (3, [0, 1, 2]), (8, [*range(8)]), (9, [0, 1, 2, 3, 5, 6, 7, 8]), (71, [*range(0, 71, 10)])],
)
def test_chosen_indices(frames: int, expected: list[int]) -> None:
    assert chosen_indices(frames) == expected
