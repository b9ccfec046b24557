"""Tiny checkpoints of the large backbones with random weights, and playback files for a planted release."""

import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

from tests.learn import planted

SPECIAL = ("<pad>", "<s>", "</s>", "<video>", "<image>", "<|vision_start|>", "<|vision_end|>", "<|video_pad|>")
LANGUAGE = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
LANGUAGE |= {"num_key_value_heads": 2, "pad_token_id": 0}


def tokenizer() -> Any:
    """Return a tokenizer of bytes, which reads every language."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = [*SPECIAL, *sorted(pre_tokenizers.ByteLevel.alphabet())]
    made = Tokenizer(models.BPE(vocab={word: number for number, word in enumerate(words)}, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    names = {"pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>"}
    return PreTrainedTokenizerFast(tokenizer_object=made, additional_special_tokens=list(SPECIAL[3:]), **names)


def write(name: str, folder: Path, seed: int = 3) -> Path:
    """Write a checkpoint as the library publishes one, and return its folder."""
    import torch
    import transformers

    torch.manual_seed(seed)
    words = tokenizer()
    if name == "video-llava":
        network: Any = transformers.VideoLlavaForConditionalGeneration(video_llava(words))
    else:
        network = transformers.Qwen3VLForConditionalGeneration(qwen(words))
    network.save_pretrained(folder)
    words.save_pretrained(folder)
    return folder


def video_llava(words: Any) -> Any:
    """Return the configuration of a tiny Video-LLaVA."""
    from transformers import CLIPVisionConfig, LlamaConfig, VideoLlavaConfig

    vision = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 3, "num_attention_heads": 2}
    ids = words.convert_tokens_to_ids
    return VideoLlavaConfig(
        vision_config=CLIPVisionConfig(**vision, image_size=28, patch_size=14),
        text_config=LlamaConfig(**LANGUAGE, vocab_size=len(words), max_position_embeddings=512, attention_dropout=0.1),
        image_token_index=ids("<image>"),
        video_token_index=ids("<video>"),
        pad_token_id=0,
    )


def qwen(words: Any) -> Any:
    """Return the configuration of a tiny Qwen3-VL."""
    from transformers import Qwen3VLConfig

    rope = {"rope_type": "default", "rope_theta": 5e6, "mrope_section": [2, 1, 1], "mrope_interleaved": True}
    vision = {"depth": 3, "hidden_size": 16, "intermediate_size": 32, "num_heads": 2, "patch_size": 16}
    vision |= {"spatial_merge_size": 2, "temporal_patch_size": 2, "out_hidden_size": 32}
    ids = words.convert_tokens_to_ids
    return Qwen3VLConfig(
        text_config=LANGUAGE
        | {"vocab_size": len(words), "head_dim": 8, "max_position_embeddings": 512, "rope_parameters": rope},
        vision_config=vision | {"num_position_embeddings": 64, "deepstack_visual_indexes": [0, 1]},
        image_token_id=ids("<image>"),
        video_token_id=ids("<|video_pad|>"),
        vision_start_token_id=ids("<|vision_start|>"),
        vision_end_token_id=ids("<|vision_end|>"),
    )


def add_videos(folder: Path, broken: int = 0) -> None:
    """Add archives with a playback file for each T-V pair, made of its frames, to a planted release.

    The first `broken` different files are cut, so that they cannot be decoded.
    """
    manifest = json.loads((folder / "manifest.json").read_text())
    made: dict[bytes, bytes] = {}
    for path in [one["path"] for one in manifest["files"] if one["kind"] == "frames"]:
        of_video: dict[str, list[bytes]] = {}
        with tarfile.open(folder / path) as archive:
            for member in archive:
                of_video.setdefault(member.name.rsplit(".", 2)[0], []).append(archive.extractfile(member).read())
        there = folder / path.replace("frames", "videos")
        there.parent.mkdir(exist_ok=True)
        with tarfile.open(there, "w") as archive:
            for name, pictures in of_video.items():
                digest = hashlib.sha256(b"".join(pictures)).digest()
                if digest not in made:
                    made[digest] = encoded(pictures)[: 300 if len(made) < broken else None]
                content = made[digest]
                header = tarfile.TarInfo(f"{name}.mp4")
                header.size = len(content)
                archive.addfile(header, io.BytesIO(content))
        manifest["files"].append(planted._described(folder, there.relative_to(folder).as_posix(), "videos"))
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n")


def encoded(pictures: list[bytes], per_second: int = 4) -> bytes:
    """Return JPEG files as an MP4 file."""
    images = [Image.open(io.BytesIO(one)).convert("RGB") for one in pictures]
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as file:
        stream = file.add_stream("libx264", rate=per_second, options={"g": "12", "threads": "1"})
        stream.width, stream.height = images[0].size
        stream.pix_fmt = "yuv420p"
        for one in images:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(np.asarray(one), format="rgb24")))
        file.mux(stream.encode())
    return out.getvalue()
