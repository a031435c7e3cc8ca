"""Large configurations: adapters, exact sizes on the meta device, the plan."""

from __future__ import annotations

import copy

import diffusers
import pytest
import torch

from anyflow.config import ConfigError, load_config
from anyflow.lora import adapt, adapter_state, chosen_layers, merge
from anyflow.plan import Assumptions, build_on_meta, clip_tokens, describe, plan
from anyflow.transformer import AnyFlowFARTransformer, TransformerConfig

MODULES = ["attn1.to_q", "attn1.to_out.0", "ffn.net.0.proj", "time_embedder"]


def tiny() -> AnyFlowFARTransformer:
    torch.manual_seed(0)
    config = TransformerConfig(num_attention_heads=2, attention_head_dim=16, num_layers=2, ffn_dim=64, in_channels=4,
                               out_channels=4, text_dim=8, freq_dim=32)  # fmt: skip
    model = AnyFlowFARTransformer(config)
    torch.nn.init.normal_(model.proj_out.weight)
    return model


def velocity(model: AnyFlowFARTransformer) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    z = torch.randn(2, 3, 4, 4, 4, generator=generator)
    t = torch.rand(2, 3, generator=generator)
    return model(z, t, t / 2, torch.randn(2, 5, 8, generator=generator), (3,))


def test_adapters_start_as_nothing_train_alone_and_merge() -> None:
    model = tiny()
    original = copy.deepcopy(model)
    names = adapt(model, 4, 8.0, MODULES, also=["far_patch_embedding"])
    assert len(names) == 2 * 3 + 2, names
    torch.testing.assert_close(velocity(model), velocity(original))
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=0.01)
    for _ in range(3):
        optimizer.zero_grad()
        velocity(model).square().mean().backward()
        optimizer.step()
    trained = adapter_state(model)
    assert all("lora_" in name or name.startswith("far_patch_embedding") for name in trained)
    changed = velocity(model)
    assert (changed - velocity(original)).abs().max() > 1e-3
    merge(model)
    assert model.state_dict().keys() == original.state_dict().keys()
    torch.testing.assert_close(velocity(model), changed)
    for name, value in original.state_dict().items():
        kept = not any(f".{part}." in f".{name}." for part in MODULES) or name.endswith("bias")
        assert torch.equal(model.state_dict()[name], value) == kept, name


def test_adapters_refuse_names_that_choose_nothing() -> None:
    with pytest.raises(ValueError, match="'attn9'"):
        adapt(tiny(), 4, 4.0, ["attn9"])
    with pytest.raises(ValueError, match="'nothing'"):
        adapt(tiny(), 4, 4.0, MODULES, also=["nothing"])
    with pytest.raises(ValueError, match="rank"):
        adapt(tiny(), 0, 4.0, MODULES)


@pytest.mark.parametrize("name", ["wan-1.3b", "wan-14b"])
def test_the_large_networks_have_diffusers_parameters(name: str) -> None:
    config = load_config(name)
    settings = config.transformer.to_dict()
    with torch.device("meta"):
        ours = AnyFlowFARTransformer(config.transformer)
        theirs = diffusers.AnyFlowFARTransformer3DModel(**settings)
    sizes = {key: tuple(value.shape) for key, value in theirs.state_dict().items()}
    assert {key: tuple(value.shape) for key, value in ours.state_dict().items()} == sizes
    layers = list(chosen_layers(ours, config.lora.modules))
    adapters = sum(config.lora.rank * (layer.in_features + layer.out_features) for _, layer in layers)
    patches = sum(p.numel() for p in ours.far_patch_embedding.parameters())
    total = sum(p.numel() for p in ours.parameters())
    result = plan(config, Assumptions())
    assert result.trainable == adapters + patches
    assert result.parameters == total + adapters
    assert all(p.device.type == "meta" for p in build_on_meta(config).parameters())


def test_the_plan_scales_with_gpus_and_says_whether_it_fits() -> None:
    config = load_config("wan-14b")
    # 21 latent frames of 30 x 52 patches.
    assert clip_tokens(config) == (21 * 1560, (21 + 19) * 1560)
    few, many = plan(config, Assumptions(gpus=8)), plan(config, Assumptions(gpus=64))
    assert few.memory["frozen weights"] == 8 * many.memory["frozen weights"]
    assert few.memory["block inputs"] == many.memory["block inputs"]
    assert few.hours_per_epoch == pytest.approx(8 * many.hours_per_epoch)
    assert "does NOT fit" in describe(config, Assumptions(gpus=1))
    text = describe(config, Assumptions(gpus=64))
    assert "64 GPUs" in text
    assert "h an epoch" in text
    with pytest.raises(ConfigError, match="--gpus"):
        plan(config, Assumptions(gpus=0))
