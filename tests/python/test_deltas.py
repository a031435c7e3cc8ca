"""Weights kept as four-bit differences."""

from __future__ import annotations

import pytest
import torch

from anyflow.deltas import LEVELS, decode, encode


def network(seed: int) -> dict[str, torch.Tensor]:
    draw = torch.Generator().manual_seed(seed)
    return {
        "linear.weight": torch.randn(6, 5, generator=draw),
        "conv.weight": torch.randn(3, 3, 1, 3, 3, generator=draw),
        "bias": torch.randn(6, generator=draw),
        "steps": torch.tensor(seed),
    }


def test_what_comes_back_is_within_half_a_step_of_every_row() -> None:
    base, other = network(1), network(2)
    state = {name: value if name == "steps" else base[name] + 0.01 * value for name, value in other.items()}
    back = decode(encode(state, base), base)
    assert set(back) == set(state)
    for name in ("linear.weight", "conv.weight"):
        step = (state[name] - base[name]).flatten(1).abs().amax(1) / LEVELS
        error = (back[name] - state[name]).flatten(1).abs().amax(1)
        assert (error <= 0.5 * step + 1e-5).all()
        assert error.max() > 0
    torch.testing.assert_close(back["bias"], state["bias"], rtol=1e-3, atol=1e-3)
    assert back["steps"] == 2


def test_is_a_quarter_of_fp16() -> None:
    base = {"weight": torch.zeros(512, 512)}
    packed = encode({"weight": torch.randn(512, 512)}, base)
    size = sum(value.numel() * value.element_size() for value in packed.values())
    assert size < 0.26 * 2 * 512 * 512


def test_an_unchanged_row_stays_as_it_is() -> None:
    base = network(1)
    torch.testing.assert_close(decode(encode(base, base), base)["linear.weight"], base["linear.weight"])


def test_another_network_is_refused() -> None:
    base = network(1)
    with pytest.raises(ValueError, match=r"linear\.weight"):
        encode({**base, "linear.weight": torch.zeros(2, 2)}, base)
    with pytest.raises(ValueError, match="steps"):
        encode({name: value for name, value in base.items() if name != "steps"}, base)
