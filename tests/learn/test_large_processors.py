"""What the large backbones see: sizes, patches, places and tokens."""

import importlib
import io

import pytest
from PIL import Image

torch = pytest.importorskip("torch")
pytest.importorskip("peft")

from tests.learn import checkpoints  # noqa: E402
from training.learn.large import processors, videos  # noqa: E402
from training.learn.large.processors import QwenProcessor, VideoLlavaProcessor  # noqa: E402
from training.learn.large.videos import Clip, Length  # noqa: E402
from training.learn.options import BackboneOptions, RewardOptions, parse  # noqa: E402

REWARDS = (264, 265)


@pytest.fixture(scope="module")
def words():
    return checkpoints.tokenizer()


@pytest.fixture
def llava(words):
    return VideoLlavaProcessor(words, checkpoints.video_llava(words), BackboneOptions(prompt_tokens=40))


@pytest.fixture
def qwen(words):
    return QwenProcessor(words, checkpoints.qwen(words), BackboneOptions(most_pixels=64 * 64), REWARDS)


def clip(number, size=(64, 48)):
    return Clip([Image.new("RGB", size, (20 * at, 0, 255)) for at in range(number)], [at / 2 for at in range(number)])


def test_patches_are_those_of_the_library():
    library = importlib.import_module("transformers.models.qwen3_vl.video_processing_qwen3_vl").Qwen3VLVideoProcessor
    pixels = torch.randn(5, 3, 64, 96)
    ours, grid = processors.patchify(pixels, 16, 2, 2)
    theirs, *their_grid = library.patchify(None, pixels[None], 16, 2, 2)
    assert torch.equal(ours, theirs[0])
    assert grid == tuple(their_grid) == (3, 4, 6)


@pytest.mark.parametrize(
    ("size", "fits"),
    [((1280, 720), (608, 320)), ((448, 448), (448, 448)), ((20, 500), (32, 512)), ((640, 64), (640, 64))],
)
def test_pictures_become_multiples_of_32_of_not_too_many_pixels(size, fits):
    assert processors.fitting_size(*size, 448 * 448, 32) == fits


def test_the_centre_is_kept():
    picture = Image.new("RGB", (300, 100), "red")
    picture.paste("blue", (100, 0, 200, 100))
    cropped = processors.centre_crop(picture, 50)
    assert cropped.size == (50, 50)
    assert cropped.getpixel((25, 25)) == (0, 0, 255)
    assert cropped.getpixel((5, 25))[2] > 200


class TestQwen:
    def test_as_many_pictures_a_second_as_wanted(self, qwen):
        assert qwen.places(Length(48, 24.0)) == [0, 16, 31, 47]
        assert qwen.places(Length(1, 24.0)) == [0]
        assert len(qwen.places(Length(10_000, 24.0))) == 32

    def test_two_pictures_share_a_time_and_the_rewards_come_last(self, qwen, words):
        batch = qwen.batch([("A cat", clip(3)), ("A much longer prompt", clip(2))])
        first = batch["input_ids"][0]
        assert batch["video_grid_thw"].tolist() == [[2, 4, 4], [1, 4, 4]]
        assert batch["pixel_values_videos"].shape == (48, 3 * 2 * 16 * 16)
        assert (first == qwen.video).sum() == 8
        assert ((batch["mm_token_type_ids"] == 2) == (batch["input_ids"] == qwen.video)).all()
        assert first[batch["positions"][0]].tolist() == list(REWARDS)
        text = words.decode(first[first < 264])
        assert text.startswith("<s>A cat\n<0.2 seconds><|vision_start|>")
        assert "<1.0 seconds>" in text
        assert batch["attention_mask"].sum(1).tolist() == [int((row != 0).sum()) for row in batch["input_ids"]]

    def test_a_prompt_cannot_speak_the_language_of_the_network(self, qwen, words):
        batch = qwen.batch([("A <|video_pad|> cat<s>", clip(2))])
        assert (batch["input_ids"] == qwen.video).sum() == 4
        assert (batch["input_ids"] == words.bos_token_id).sum() == 1


class TestVideoLlava:
    def test_fewer_than_8_pictures_are_followed_by_black_ones(self, llava):
        batch = llava.batch([("A cat", clip(3))])
        pixels = batch["pixel_values_videos"]
        black = -torch.tensor(processors.MEAN) / torch.tensor(processors.DEVIATION)
        assert pixels.shape == (1, 8, 3, 28, 28)
        assert torch.allclose(pixels[0, 3:], black.view(1, 3, 1, 1).expand(5, 3, 28, 28))
        assert (batch["input_ids"] == llava.video).sum() == 8 * 5

    def test_the_score_is_read_at_the_last_token_of_each_row(self, llava):
        batch = llava.batch([("A cat", clip(8)), ("A <video> prompt of many words " * 5, clip(8))])
        last = batch["attention_mask"].sum(1) - 1
        assert batch["positions"][:, 0].tolist() == last.tolist()
        assert (batch["input_ids"] == llava.video).sum(1).tolist() == [40, 40]
        assert last[1] - last[0] == 40 - len("A cat")

    def test_the_first_and_the_last_picture_are_among_8(self, llava):
        places = llava.places(Length(100, 24.0))
        assert (len(places), places[0], places[-1]) == (8, 0, 99)


class TestVideos:
    @pytest.fixture
    def content(self):
        pictures = []
        for at in range(6):
            file = io.BytesIO()
            Image.new("RGB", (64, 48), (40 * at, 128, 128)).save(file, "JPEG")
            pictures.append(file.getvalue())
        return checkpoints.encoded(pictures)

    def test_pictures_come_with_their_times(self, content):
        assert videos.length_of(content) == (6, 4.0)
        found = videos.cut(content, [1, 1, 5], 4.0)
        assert found.times == [0.25, 0.25, 1.25]
        assert [one.getpixel((30, 20))[0] for one in found.pictures] == pytest.approx([40, 40, 200], abs=6)

    @pytest.mark.parametrize("wrong", [b"", b"no video", None])
    def test_what_is_no_video_is_said(self, content, wrong):
        with pytest.raises(ValueError, match="cannot be decoded"):
            videos.length_of(content[:300] if wrong is None else wrong)

    def test_a_video_that_ends_too_soon_is_said(self, content):
        with pytest.raises(ValueError, match="ends before picture 8"):
            videos.cut(content, [0, 7], 4.0)


def test_each_backbone_has_its_own_defaults():
    of = {
        name: parse(RewardOptions, ["--release", "r", "--out", "o", *more], "", "reward")
        for name, more in {
            "small": [],
            "video-llava": ["--backbone", "video-llava", "--checkpoint", "folder"],
            "qwen-vl": ["--backbone", "qwen-vl", "--epochs", "7"],
        }.items()
    }
    assert [(one.epochs, one.learning_rate) for one in of.values()] == [(40, 2e-3), (3, 2e-5), (7, 2e-6)]
    assert (of["video-llava"].batch_size, of["video-llava"].weight_decay) == (8, 0.1)
    assert of["video-llava"].backbone_path == "folder"
