"""The networks: a checkpoint of the user's without its language head, and a score for each output."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from training.learn.backbones import digest_of
from training.learn.events import Failed
from training.learn.large.processors import Processor, QwenProcessor, VideoLlavaProcessor
from training.learn.options import BackboneOptions

#: Of each backbone: what `config.json` calls it, and its class in `transformers`.
CLASSES = {
    "qwen-vl": ("qwen3_vl", "Qwen3VLForConditionalGeneration"),
    "video-llava": ("video_llava", "VideoLlavaForConditionalGeneration"),
}
#: All linear layers of a block of the language model of Qwen3-VL.
LORA_LAYERS = r".*language_model\..*\.(q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj)"


class Network(nn.Module):
    """A backbone that reads a prompt and a video, and a linear layer for each output at given positions."""

    def __init__(self, backbone: nn.Module, size: int, outputs: int) -> None:
        super().__init__()
        self.backbone, self.outputs = backbone, outputs
        self.weight = nn.Parameter(torch.randn(outputs, size) * 0.02)
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.eta = nn.Parameter(torch.zeros(outputs))  # softplus of it is how readily people call a tie

    def activation_checkpointing_enable(self, *arguments: Any, **more: Any) -> None:
        """Compute the backbone's activations once more on the way back, in place of storing them."""
        self.backbone.activation_checkpointing_enable(*arguments, **more)

    def forward(self, positions: Tensor, **inputs: Tensor) -> Tensor:
        """Return scores: (B, outputs). `positions` is (B, outputs), or (B, 1) if all outputs are at one."""
        states = self.backbone(**inputs, use_cache=False).last_hidden_state  # (B, L, D)
        at = states[torch.arange(len(states), device=states.device)[:, None], positions].float()  # (B, P, D)
        scores: Tensor = (at * self.weight).sum(-1) + self.bias  # products, which stay float32 in mixed precision
        return scores


@dataclass(eq=False)
class Built:
    """A network with what makes its inputs.

    Attributes:
        version: differs between checkpoints.
    """

    network: Network
    processor: Processor
    version: str


def precision_of(name: str) -> torch.dtype:
    """Return in which type a network computes: bfloat16 where a GPU has it, unless float32 is wanted."""
    has = torch.cuda.is_available() and torch.cuda.is_bf16_supported()
    return torch.bfloat16 if name == "auto" and has else torch.float32


def build(
    options: BackboneOptions,
    targets: Sequence[str],
    seed: int,
    computes: torch.dtype = torch.float32,
    trained_as: torch.dtype = torch.float32,
) -> Built:
    """Load a checkpoint, and freeze what is not trained. New weights follow from the seed.

    Args:
        computes: type in which it computes. What is frozen, and what is trained in that type, is stored in it.
        trained_as: type of the trained weights.

    Raises:
        Failed: the folder is no checkpoint of this backbone, or weights of it are missing.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        loaded, tokenizer = _loaded(options, stored_as(options, computes, trained_as))
        return assembled(options, targets, loaded, tokenizer, trained_as)


def stored_as(options: BackboneOptions, computes: torch.dtype, trained_as: torch.dtype) -> torch.dtype:
    """Return the type in which a checkpoint is loaded. Few weights of `qwen-vl` are trained, so the others decide."""
    return computes if options.backbone == "qwen-vl" or trained_as == computes else torch.float32


def assembled(
    options: BackboneOptions, targets: Sequence[str], loaded: Any, tokenizer: Any, trained_as: torch.dtype
) -> Built:
    """Return a network that has a score for each target, with what is not trained frozen.

    Args:
        loaded: the network of the checkpoint, as `transformers` has it.
    """
    version = f"{options.backbone}-1-{Path(options.backbone_path).name}-{digest_of(loaded, torch.bfloat16)}"
    config, backbone = loaded.config, loaded.model
    network = Network(backbone, config.text_config.hidden_size, len(targets))
    if options.backbone == "qwen-vl":
        names = [f"<|reward_{one}|>" for one in targets]
        tokenizer.add_tokens(names, special_tokens=True)
        rewards = tokenizer.convert_tokens_to_ids(names)
        _add_lora(loaded, len(tokenizer), rewards, options)
        processor: Processor = QwenProcessor(tokenizer, config, options, rewards)
    else:
        backbone.video_tower.requires_grad_(False)
        backbone.image_tower.requires_grad_(False)
        processor = VideoLlavaProcessor(tokenizer, config, options)
    for one in network.parameters():
        if one.requires_grad:
            one.data = one.data.to(trained_as)
    return Built(network, processor, version)


def trained(network: Network) -> dict[str, Tensor]:
    """Return the weights that are trained, by name."""
    return {name: one.detach() for name, one in network.named_parameters() if one.requires_grad}


@torch.no_grad()
def put(network: Network, weights: Mapping[str, Tensor], where: str) -> None:
    """Replace the trained weights. Raise Failed if there are others, or some are missing: none is left as it was."""
    have = trained(network)
    if other := sorted(set(have) ^ set(weights)):
        raise Failed("bad_checkpoint", f"{where} does not fit this network. Names that differ: {', '.join(other[:5])}.")
    for name, one in have.items():
        one.copy_(weights[name])


def _loaded(options: BackboneOptions, dtype: torch.dtype) -> tuple[Any, Any]:
    """Return the checkpoint's model and its tokenizer. Raise Failed if it is another one, or not whole."""
    path = options.backbone_path
    if not path:
        raise Failed(
            "bad_option", f"--backbone {options.backbone} needs --backbone-path: the folder of a checkpoint, or its id."
        )
    is_local = Path(path).is_dir()
    if is_local:
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import transformers

    transformers.utils.logging.disable_progress_bar()
    kind, name = CLASSES[options.backbone]
    try:
        config = transformers.AutoConfig.from_pretrained(path, local_files_only=is_local)
        if config.model_type != kind:
            raise ValueError(f"it is of the type {config.model_type}, not {kind}")
        tokenizer = transformers.AutoTokenizer.from_pretrained(path, local_files_only=is_local)
        model, about = getattr(transformers, name).from_pretrained(
            path, config=config, dtype=dtype, local_files_only=is_local, output_loading_info=True
        )
    except (OSError, ValueError, KeyError) as error:
        raise Failed("bad_option", f"The checkpoint {path} cannot be loaded: {error}") from error
    if missing := sorted(about["missing_keys"]) + sorted(map(str, about["mismatched_keys"])):
        raise Failed("bad_option", f"The checkpoint {path} is not whole. It lacks {', '.join(missing[:5])}.")
    return model, tokenizer


def _add_lora(loaded: Any, tokens: int, rewards: Sequence[int], options: BackboneOptions) -> None:
    """Freeze the network but for LoRA in the language model and the embeddings of the reward tokens."""
    from peft import LoraConfig, inject_adapter_in_model

    if tokens > loaded.get_input_embeddings().num_embeddings:
        loaded.resize_token_embeddings(tokens, mean_resizing=False)
    config = LoraConfig(
        r=options.lora_rank,
        lora_alpha=options.lora_alpha,
        lora_dropout=options.lora_dropout,
        target_modules=LORA_LAYERS,
        trainable_token_indices={"embed_tokens": list(rewards)},
    )
    inject_adapter_in_model(config, loaded.model)
