"""The large backbones: seconds a pair and peak memory of training, with their full shapes and random weights.

Speed and memory do not depend on the values of weights and pictures, so nothing is downloaded. The pictures are in
memory: decoding is not measured. Everything else is what a run does, by the product's own trainer. A GPU is needed,
but for `--quick`, which takes tiny shapes.
"""

import argparse
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import claims

#: Steps that are not counted: in them memory is claimed and kernels are chosen.
FIRST_STEPS = 2
#: Width and height of a video, how many pictures it has, and how many a second.
SIZE, PICTURES, PER_SECOND = (854, 480), 120, 24.0
QUICK_SIZE = (64, 48)
QWEN_VISION = {"depth": 24, "hidden_size": 1024, "intermediate_size": 4096, "num_heads": 16, "patch_size": 16}
QWEN_VISION |= {"spatial_merge_size": 2, "temporal_patch_size": 2, "num_position_embeddings": 2304}
QWEN_ROPE = {"rope_type": "default", "rope_theta": 5e6, "mrope_section": [24, 20, 20], "mrope_interleaved": True}
#: Of the language models: width, width of the inner layer, layers, heads, heads of keys.
SHAPES = {
    "qwen-vl-2b": (2048, 6144, 28, 16, 8),
    "qwen-vl-4b": (2560, 9728, 36, 32, 8),
    "video-llava-7b": (4096, 11008, 32, 32, 32),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and write. Return 0 if the program ran."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training_large", description=__doc__.splitlines()[0])
    claims.add_options(parser)
    parser.add_argument("--only", choices=list(SHAPES), help="measure one shape")
    parser.add_argument("--steps", type=int, default=8, help="steps that are counted; default: %(default)s")
    parser.add_argument("--device-batch", type=int, default=1, help="pairs at a time; default: %(default)s")
    parser.add_argument("--activations", choices=["recompute", "keep"], default="recompute")
    parser.add_argument("--trained-as", choices=["float32", "bfloat16"], default="float32")
    options = parser.parse_args(arguments)
    import torch

    if not torch.cuda.is_available() and not options.quick:
        parser.error("a GPU is needed for the full shapes. --quick takes tiny ones")
    found = {name: measured(name, options) for name in ([options.only] if options.only else SHAPES)}
    heads = ["shape", "weights", "trained", "tokens a video", "s a pair", "peak GiB"]
    print(claims.table(heads, [[name, *one.values()] for name, one in found.items()]))
    if options.json:
        claims.write(options.json, [], {"device": _device(), "shapes": found})
    return 0


def measured(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """Train a network of random weights for some steps. Return its sizes, seconds a pair, and peak memory in GiB."""
    import torch
    from transformers import PrinterCallback

    from training.learn.large import networks, trainer
    from training.learn.options import RewardOptions, parse

    backbone = name.rpartition("-")[0]
    steps = FIRST_STEPS + (1 if options.quick else options.steps)
    rows, size = steps * options.device_batch, QUICK_SIZE if options.quick else SIZE
    with tempfile.TemporaryDirectory() as folder:
        words = ["--release", "-", "--out", folder, "--backbone", backbone, "--epochs", "1", "--save-every", "1000"]
        words += ["--device-batch", str(options.device_batch), "--batch-size", str(options.device_batch)]
        words += ["--activations", options.activations, "--trained-as", options.trained_as]
        given = parse(RewardOptions, words, "", "reward")
        computes, trained_as = networks.precision_of("auto"), getattr(torch, options.trained_as)
        lower = networks.stored_as(given, computes, trained_as)
        if torch.cuda.is_available():
            torch.cuda.reset_peak_memory_stats()
        loaded, words_of = random_network(name, lower, options.quick)
        built = networks.assembled(given, ["helpfulness"], loaded, words_of, trained_as)
        clock = _clock()
        made = trainer.LargeTrainer(
            built.network,
            trainer.arguments_of(given, 1, computes, Path(folder)),
            task=_Tossed(rows),
            train_dataset=_Random(rows, built.processor, size),
            data_collator=lambda one: _batch(one, built.processor),
            callbacks=[clock],
        )
        made.remove_callback(PrinterCallback)
        made.train()
    tokens = len(built.processor.batch([_item(0, built.processor, size)])["input_ids"][0])
    seconds = statistics.median(clock.seconds[FIRST_STEPS:])
    weights = list(built.network.parameters())
    return {
        "weights": sum(one.numel() for one in weights),
        "trained": sum(one.numel() for one in weights if one.requires_grad),
        "tokens": tokens,
        "seconds": round(seconds / options.device_batch, 3),
        "peak_gib": round(_peak(), 2),
    }


def random_network(name: str, dtype: Any, quick: bool) -> tuple[Any, Any]:
    """Return a network with random weights on the GPU, if there is one, and a tokenizer of bytes."""
    import torch
    import transformers

    from tests.learn import checkpoints

    words = checkpoints.tokenizer()
    is_qwen = name.startswith("qwen")
    config = checkpoints.qwen(words) if is_qwen else checkpoints.video_llava(words)
    if not quick:
        width, inner, layers, heads, key_heads = SHAPES[name]
        text = {"hidden_size": width, "intermediate_size": inner, "num_hidden_layers": layers}
        text |= {"num_attention_heads": heads, "num_key_value_heads": key_heads, "pad_token_id": 0}
        ids = {key: getattr(config, key) for key in ("image_token_id", "video_token_id")}
        if is_qwen:
            ids |= {key: getattr(config, key) for key in ("vision_start_token_id", "vision_end_token_id")}
            text |= {"vocab_size": 151_936, "head_dim": 128, "rope_parameters": QWEN_ROPE}
            vision = QWEN_VISION | {"out_hidden_size": width, "deepstack_visual_indexes": [5, 11, 17]}
            config = transformers.Qwen3VLConfig(text, vision, tie_word_embeddings=True, **ids)
        else:
            seen = {"hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24, "num_attention_heads": 16}
            vision = transformers.CLIPVisionConfig(**seen, image_size=224, patch_size=14)
            language = transformers.LlamaConfig(**text, vocab_size=32_064, max_position_embeddings=4096)
            named = {"image_token_index": ids["image_token_id"], "video_token_index": ids["video_token_id"]}
            config = transformers.VideoLlavaConfig(vision_config=vision, text_config=language, **named)
    kind = transformers.Qwen3VLForConditionalGeneration if is_qwen else transformers.VideoLlavaForConditionalGeneration
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
            return kind(config), words
    finally:
        torch.set_default_dtype(before)


class _Random:
    """So many rows of two videos each."""

    def __init__(self, rows: int, processor: Any, size: tuple[int, int]) -> None:
        self.rows, self.processor, self.size = rows, processor, size

    def __len__(self) -> int:
        return self.rows

    def __getitem__(self, row: int) -> tuple[int, list[Any]]:
        return row, [_item(2 * row + side, self.processor, self.size) for side in (0, 1)]


class _Tossed:
    """People who toss coins (`training.learn.large.trainer.Task`)."""

    answers, penalty = 1.0, 1e-3

    def __init__(self, rows: int) -> None:
        import torch

        self.chose = torch.from_numpy(np.random.default_rng(1).integers(0, 2, rows))

    def likelihood(self, scores: Any, _eta: Any, rows: Any) -> Any:
        import torch.nn.functional as F

        sign = (2 * self.chose[rows] - 1).to(scores.device)[:, None]
        return F.logsigmoid(sign * (scores[1] - scores[0]))

    def names(self, rows: Any) -> list[str]:
        return [str(int(row)) for row in rows]


def _item(seed: int, processor: Any, size: tuple[int, int]) -> Any:
    """Return a prompt of 60 letters, and random pictures where the network looks."""
    from PIL import Image

    from training.learn.large.videos import Clip, Length

    places = processor.places(Length(PICTURES, PER_SECOND))
    random = np.random.default_rng(seed)
    pictures = [Image.fromarray(random.integers(0, 256, (size[1], size[0], 3), np.uint8)) for _place in places]
    return "a prompt of usual length " * 2 + "and ten more", Clip(pictures, [at / PER_SECOND for at in places])


def _batch(rows: Sequence[tuple[int, list[Any]]], processor: Any) -> dict[str, Any]:
    items = [items[side] for side in (0, 1) for _row, items in rows]
    return dict(processor.batch(items)) | {"rows": [row for row, _items in rows]}


def _clock() -> Any:
    """Return a callback of the Trainer that notes the seconds of each step, without those of making pictures."""
    import torch
    from transformers import TrainerCallback

    class Clock(TrainerCallback):
        def __init__(self) -> None:
            self.seconds: list[float] = []
            self.began = 0.0

        def on_step_begin(self, *_arguments: Any, **_more: Any) -> None:
            self.began = time.perf_counter()

        def on_step_end(self, *_arguments: Any, **_more: Any) -> None:
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            self.seconds.append(time.perf_counter() - self.began)

    return Clock()


def _peak() -> float:
    import torch

    if torch.cuda.is_available():
        return float(torch.cuda.max_memory_allocated()) / 2**30
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def _device() -> str:
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"


if __name__ == "__main__":
    sys.exit(main())
