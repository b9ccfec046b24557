"""The strip, the keyframes and the measures of movement, which come from the same decode as the playback file."""

from pathlib import Path

import pytest
from PIL import Image, ImageStat

from media.stills import SAME_DB, small_size, spread
from media.transcode import transcode
from tests.media.making import difference, make, pattern


def test_the_strip_shows_the_first_to_the_last_frame_from_left_to_right(tmp_path: Path) -> None:
    grey = "color=black:s=320x180:r=10:d=2.2,format=gray,geq=lum='10*N',format=yuv420p"
    source = make(tmp_path / "in.mkv", "-f", "lavfi", "-i", grey, "-c:v", "ffv1", "-color_range", "pc")

    made = transcode(source, tmp_path / "made")

    strip = Image.open(made.strip)
    tiles = [strip.crop((160 * place, 0, 160 * place + 160, 90)).convert("L") for place in range(8)]
    assert strip.size == (1280, 90)
    assert [round(ImageStat.Stat(tile).mean[0] / 10) for tile in tiles] == [0, 3, 6, 9, 12, 15, 18, 21]


def test_the_strip_has_the_colours_of_the_poster(tmp_path: Path) -> None:
    source = make(tmp_path / "in.mp4", "-f", "lavfi", "-i", "smptebars=s=320x180:r=10:d=0.5", "-c:v", "libx264")

    made = transcode(source, tmp_path / "made")

    tile = Image.open(made.strip).convert("RGB").crop((0, 0, 160, 90))
    assert difference(tile, Image.open(made.poster).convert("RGB").resize((160, 90))) < 5


def test_keyframes_are_where_the_picture_changes_most_the_greatest_change_first(tmp_path: Path) -> None:
    steps = "60*gte(N,5)+20*gte(N,9)+100*gte(N,12)"
    grey = f"color=black:s=64x64:r=10:d=2,format=gray,geq=lum='{steps}',format=yuv420p"
    source = make(tmp_path / "in.mkv", "-f", "lavfi", "-i", grey, "-c:v", "ffv1", "-color_range", "pc")

    made = transcode(source, tmp_path / "made")

    assert made.keyframes[:3] == (12, 5, 9)
    assert len(made.keyframes) == 8
    assert len(set(made.keyframes)) == 8


@pytest.mark.long
def test_psnr_tells_a_still_clip_from_a_moving_one(tmp_path: Path) -> None:
    moving = make(tmp_path / "moving.mp4", *pattern(seconds=1), "-c:v", "libx264")
    still = make(tmp_path / "still.mp4", *pattern(seconds=1), "-vf", "loop=24:1,trim=end_frame=25", "-c:v", "libx264")

    of_still, of_moving = (transcode(path, path.with_suffix("")).psnr_to_first for path in (still, moving))

    assert len(of_still) == len(of_moving) == 7
    assert min(of_still) > 40
    assert max(of_moving) < 30


def test_pictures_without_any_difference_have_a_bound(tmp_path: Path) -> None:
    source = make(tmp_path / "in.mkv", "-f", "lavfi", "-i", "color=teal:s=64x64:r=10:d=0.3", "-c:v", "ffv1")

    made = transcode(source, tmp_path / "made")

    assert made.psnr_to_first == (SAME_DB, SAME_DB)  # only of real frames, not of black padding


@pytest.mark.parametrize(
    ("playback", "small"),
    [
        ((1920, 1080), (160, 90)),
        ((1080, 1920), (50, 90)),
        ((2, 8), (22, 90)),
        ((8, 2), (160, 40)),
        ((64, 64), (90, 90)),
    ],
)
def test_small_pictures_are_even_and_fit(playback: tuple[int, int], small: tuple[int, int]) -> None:
    assert small_size(*playback) == small


@pytest.mark.parametrize(("frames", "expected"), [(1, [0] * 8), (3, [0, 0, 1, 1, 1, 1, 2, 2]), (8, [*range(8)])])
def test_spread_has_always_as_many_as_are_wanted(frames: int, expected: list[int]) -> None:
    assert spread(frames, 8) == expected
