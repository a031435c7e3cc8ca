"""Low-rank adapters (LoRA, Hu et al., arXiv 2106.09685) on chosen linear layers: how the large checkpoints are trained.

An adapted layer computes ``W x + b + (alpha / rank) B A x`` with W, b frozen; B starts at zero, so the adapted network
starts as the original. `merge` folds the adapters into the weights, after which the state dict has its usual names.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize


class LowRank(nn.Module):
    """The parametrisation of one weight ``[outputs, inputs]``."""

    def __init__(self, weight: Tensor, rank: int, alpha: float) -> None:
        super().__init__()
        outputs, inputs = weight.shape
        self.scale = alpha / rank
        self.lora_A = nn.Parameter(torch.empty(rank, inputs, device=weight.device, dtype=weight.dtype))
        self.lora_B = nn.Parameter(torch.zeros(outputs, rank, device=weight.device, dtype=weight.dtype))
        if weight.device.type != "meta":
            nn.init.kaiming_uniform_(self.lora_A, a=math.sqrt(5))

    def forward(self, weight: Tensor) -> Tensor:
        return weight + self.scale * (self.lora_B @ self.lora_A)


def chosen_layers(model: nn.Module, modules: Sequence[str]) -> Iterator[tuple[str, nn.Linear]]:
    """Linear layers whose name holds one of ``modules`` as whole parts ("attn1.to_q" chooses "blocks.0.attn1.to_q")."""
    for name, layer in model.named_modules():
        if isinstance(layer, nn.Linear) and any(f".{part}." in f".{name}." for part in modules):
            yield name, layer


def adapt(model: nn.Module, rank: int, alpha: float, modules: Sequence[str], also: Sequence[str] = ()) -> list[str]:
    """Freeze the model but for new adapters on ``modules`` and the parameters whose names start with one of ``also``.

    Returns the adapted layers' names.

    Raises:
        ValueError: if a name in ``modules`` or ``also`` chooses nothing, or the rank is not positive.
    """
    if rank < 1:
        raise ValueError(f"lora.rank must be at least 1, got {rank}")
    layers = list(chosen_layers(model, modules))
    for part in modules:
        if not any(f".{part}." in f".{name}." for name, _ in layers):
            raise ValueError(f"lora.modules: no linear layer is called {part!r}")
    for start in also:
        if not any(name.startswith(start) for name, _ in model.named_parameters()):
            raise ValueError(f"lora.also: no parameter starts with {start!r}")
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(any(name.startswith(start) for start in also))
    for _, layer in layers:
        # `unsafe` skips a trial run of the parametrisation, which meta tensors cannot do.
        parametrize.register_parametrization(layer, "weight", LowRank(layer.weight, rank, alpha), unsafe=True)
    return [name for name, _ in layers]


def merge(model: nn.Module) -> None:
    """Fold every adapter into its weight and take it off."""
    for layer in list(model.modules()):
        if parametrize.is_parametrized(layer, "weight"):
            parametrize.remove_parametrizations(layer, "weight", leave_parametrized=True)


def adapter_state(model: nn.Module) -> dict[str, Tensor]:
    """What training changed: adapters and other trainable parameters."""
    return {name: parameter.detach() for name, parameter in model.named_parameters() if parameter.requires_grad}
