"""The autoencoder: streaming equals whole-clip, causality, the PCA start, errors."""

import numpy as np
import pytest
import torch

from anyflow.data import Clips
from anyflow.train.pca import start_from_pca
from anyflow.vae import VaeConfig, VideoAutoencoder, group_frames, ungroup_frames

SMALL = VaeConfig(latent_channels=6, width8=24, width16=16, width32=12, decoder_blocks=2)


@pytest.fixture
def vae() -> VideoAutoencoder:
    """Random weights everywhere, also where training starts at zero, so that every path counts."""
    torch.manual_seed(0)
    vae = VideoAutoencoder(SMALL).eval().requires_grad_(False)
    for parameter in vae.parameters():
        parameter.copy_(torch.randn_like(parameter) * 0.1)
    vae.latent_mean.copy_(torch.randn(6))
    vae.latent_std.copy_(torch.rand(6) + 0.5)
    return vae


def test_streaming_decode_equals_whole_clip(vae: VideoAutoencoder) -> None:
    latents = torch.randn(1, 5, 6, 3, 4)
    whole = vae.decode(latents)[0]
    states = vae.initial_decoder_states(1, 3, 4)
    frames = []
    for i in range(5):
        made, states = vae.decoder_step(latents[:, i], states)
        frames.append(made if i else made[-1:])
    streamed = torch.cat(frames)
    assert streamed.shape == whole.shape == (17, 3, 48, 64)
    assert (streamed - whole).abs().max() < 1e-4
    assert whole.std() > 0.01


def test_streaming_encode_equals_whole_clip(vae: VideoAutoencoder) -> None:
    video = torch.rand(1, 13, 3, 32, 48)
    whole = vae.encode(video)[0]
    states = vae.initial_encoder_states(1, 32, 48)
    for i, group in enumerate(group_frames(video)[0]):
        latent, states = vae.encoder_step(group, states)
        assert (latent[0] - whole[i]).abs().max() < 1e-4


def test_causal(vae: VideoAutoencoder) -> None:
    """Changing a latent leaves every earlier frame as it was, and changes the ones it stands for."""
    latents = torch.randn(1, 4, 6, 2, 2)
    other = latents.clone()
    other[:, 2] += 1
    before, after = vae.decode(latents)[0], vae.decode(other)[0]
    assert torch.equal(before[:5], after[:5])
    assert not torch.allclose(before[5:9], after[5:9])


def test_grouping_round_trip() -> None:
    video = torch.rand(2, 9, 3, 16, 16)
    groups = group_frames(video)
    assert groups.shape == (2, 3, 4, 3, 16, 16)
    assert torch.equal(ungroup_frames(groups), video)
    with pytest.raises(ValueError, match="cut it to 5"):
        group_frames(video[:, :8])


def test_size_error(vae: VideoAutoencoder) -> None:
    with pytest.raises(ValueError, match="multiples of 16"):
        vae.encode(torch.rand(1, 5, 3, 24, 32))


def test_starts_as_pca() -> None:
    """Blocks that vary in fewer directions than there are latent channels come back whole from the PCA start."""
    rng = np.random.default_rng(0)
    patterns = rng.uniform(20, 40, size=(4, 4, 3, 16, 16))
    weights = rng.uniform(0, 1.2, size=(6, 4, 4))  # clips, latent frames, patterns
    groups = np.einsum("ntp,pfchw->ntfchw", weights, patterns).clip(0, 255)
    groups[:, 0] = groups[:, 0, -1:]  # group 0 is one frame four times
    video = groups.reshape(6, 16, 3, 16, 16)[:, 3:].round().astype(np.uint8)
    clips = Clips([video], [{} for _ in video])
    vae = VideoAutoencoder(VaeConfig(latent_channels=12, width8=16, width16=16, width32=8, decoder_blocks=1))
    explained = start_from_pca(vae, clips)
    assert explained > 0.999
    real = torch.from_numpy(video).float() / 255
    with torch.inference_mode():
        made = vae.decode(vae.encode(real))
    assert (made - real).abs().mean() < 2 / 255
