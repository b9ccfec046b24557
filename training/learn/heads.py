"""The heads of `small` and `embed`: a product of prompt and clip for each output."""

import torch
from torch import Tensor, nn


class ProductHead(nn.Module):
    """A score for each output: the sum of `rank` products of a number of the prompt with one of the clip.

    A layer on prompt and clip side by side could not work: in the difference of two scores the prompt would cancel.
    """

    def __init__(self, prompt_size: int, clip_size: int, outputs: int, rank: int) -> None:
        super().__init__()
        self.outputs, self.rank = outputs, rank
        self.prompt = nn.Linear(prompt_size, outputs * rank)
        self.clip = nn.Linear(clip_size, outputs * rank)
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.eta = nn.Parameter(torch.zeros(outputs))  # softplus of it is how readily people call a tie

    def forward(self, prompt: Tensor, clip: Tensor) -> Tensor:
        """Return (B, outputs) of (B, prompt_size) and (B, clip_size)."""
        both = self.prompt(prompt) * self.clip(clip)  # (B, outputs * rank)
        scores: Tensor = both.view(len(both), self.outputs, self.rank).sum(-1) / self.rank**0.5 + self.bias
        return scores


def seeded_head(prompt_size: int, clip_size: int, outputs: int, rank: int, seed: int) -> ProductHead:
    """Return a head whose first weights follow from the seed, whatever ran before."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return ProductHead(prompt_size, clip_size, outputs, rank)
