"""Videos that look the same are marked, however they were encoded. Videos of different scenes are not."""

from pathlib import Path

import pytest
from django.core.files.storage import default_storage

from catalog.look_alikes import LOOK_ALIKE, Difference, mark_look_alikes
from catalog.models import Pair
from media import names, transcoding
from media.models import Asset
from media.transcode import Renditions, transcode
from tests import factories
from tests.media.making import make

SCENES = {
    "bars": "testsrc2=s=640x360:r=24:d=1",
    "mandelbrot": "mandelbrot=s=640x360:r=24:start_scale=1,trim=duration=1",
    "gradients": "gradients=s=640x360:r=24:d=1:seed=5:c0=red:c1=yellow",
    "blue": "color=steelblue:s=640x360:r=24:d=1",
    "magenta": "color=magenta:s=640x360:r=24:d=1",
}
ENCODED_AGAIN = {
    "low.mp4": ("-c:v", "libx264", "-preset", "veryfast", "-crf", 38),
    "half.mp4": ("-vf", "scale=320:180", "-c:v", "libx264", "-preset", "veryfast"),
    "other.webm": ("-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", 8, "-b:v", "400k"),
    "other.avi": ("-c:v", "mpeg4", "-q:v", 12),
}


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("scenes")
    fine = ("-c:v", "libx264", "-preset", "veryfast", "-crf", 16, "-pix_fmt", "yuv420p")
    return {name: make(folder / f"{name}.mp4", "-f", "lavfi", "-i", scene, *fine) for name, scene in SCENES.items()}


@pytest.fixture(scope="module")
def prepared(scenes: dict[str, Path]) -> dict[str, Renditions]:
    return {name: transcode(path, path.with_suffix("")) for name, path in scenes.items()}


def bits(one: Renditions, other: Renditions) -> int:
    pairs = zip(one.frame_hashes, other.frame_hashes, strict=True)
    return sum(((first ^ second) & (2**64 - 1)).bit_count() for first, second in pairs)


@pytest.mark.long
@pytest.mark.parametrize("how", ENCODED_AGAIN)
@pytest.mark.parametrize("name", ["bars", "mandelbrot"])
def test_a_clip_that_was_encoded_again_looks_the_same(
    name: str, how: str, scenes: dict[str, Path], prepared: dict[str, Renditions], tmp_path: Path
) -> None:
    again = make(tmp_path / how, "-i", scenes[name], *ENCODED_AGAIN[how])

    assert bits(prepared[name], transcode(again, tmp_path / "made")) <= LOOK_ALIKE


@pytest.mark.long
def test_clips_of_other_scenes_do_not(prepared: dict[str, Renditions]) -> None:
    clips = list(prepared.values())

    nearest = min(bits(one, other) for place, one in enumerate(clips) for other in clips[:place])

    assert nearest > 2 * LOOK_ALIKE


@pytest.mark.long
def test_hashes_are_three_words_a_frame_that_postgresql_can_hold(prepared: dict[str, Renditions]) -> None:
    for made in prepared.values():
        assert len(made.frame_hashes) == 24
        assert all(-(2**63) <= word < 2**63 for word in made.frame_hashes)


@pytest.mark.long
@pytest.mark.django_db
def test_postgresql_counts_as_we_do(prepared: dict[str, Renditions]) -> None:
    one, other = prepared["bars"], prepared["mandelbrot"]
    pair = pair_of(*(factories.asset(frame_hashes=list(made.frame_hashes)) for made in (one, other)))
    difference = Difference("video_0__asset__frame_hashes", "video_1__asset__frame_hashes")

    assert Pair.objects.annotate(bits=difference).get(pk=pair.pk).bits == bits(one, other)


@pytest.mark.long
@pytest.mark.django_db
@pytest.mark.parametrize(("second", "alike"), [("low.mp4", True), ("blue", False)])
def test_a_pair_is_marked_when_its_second_video_is_ready(
    second: str, alike: bool, scenes: dict[str, Path], prepared: dict[str, Renditions], tmp_path: Path
) -> None:
    made = prepared.get(second)
    if made is None:
        made = transcode(make(tmp_path / second, "-i", scenes["bars"], *ENCODED_AGAIN[second]), tmp_path / "made")
    pair = pair_of(factories.asset(state="waiting"), factories.asset(state="waiting"), ready=False)

    for renditions in (prepared["bars"], made):
        pair.refresh_from_db()
        assert not pair.look_alike
        asset = transcoding.claim()
        assert asset is not None
        transcoding.finish(asset, renditions, transcoding.store(asset, renditions))

    pair.refresh_from_db()
    assert (pair.ready, pair.look_alike) == (True, alike)
    stored = Asset.objects.get(pk=pair.video_0.asset_id)
    assert stored.frame_hashes == list(prepared["bars"].frame_hashes)
    assert stored.facts["keyframes"] == list(prepared["bars"].keyframes)
    assert stored.facts["psnr_to_first"] == list(prepared["bars"].psnr_to_first)
    assert default_storage.exists(names.strip(stored.public_id))


@pytest.mark.long
@pytest.mark.django_db
def test_videos_without_hashes_are_not_compared() -> None:
    hashed = factories.asset(frame_hashes=[0] * 24)
    pairs = [pair_of(hashed, factories.asset()), pair_of(factories.asset(), factories.asset())]

    mark_look_alikes(Pair.objects.filter(pk__in=[pair.pk for pair in pairs]))

    assert not Pair.objects.filter(look_alike=True).exists()


def pair_of(first: Asset, second: Asset, **values: object) -> Pair:
    study = factories.study()
    prompt = factories.prompt(study)
    videos = [factories.video(prompt, asset=asset) for asset in (first, second)]
    return factories.pair(study, prompt=prompt, video_0=videos[0], video_1=videos[1], **values)
