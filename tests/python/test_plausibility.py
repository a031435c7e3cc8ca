"""The judge of motion on clips whose path is known."""

import numpy as np
import pytest
import torch
from torch import Tensor

from anyflow.plausibility import MotionJudge, roughness, track
from anyflow.worlds import WorldConfig, render, sample_scene


def square(places: list[tuple[int, int]], sides: list[int]) -> Tensor:
    """A white square on black, top left and side given for each frame: uint8 ``[T, 3, 64, 64]``."""
    video = torch.zeros(len(places), 3, 64, 64, dtype=torch.uint8)
    for frame, (y, x), side in zip(video, places, sides, strict=True):
        frame[:, y : y + side, x : x + side] = 255
    return video


def test_track_finds_the_path_and_the_size() -> None:
    path = track(square([(10, 20), (12, 23)], [9, 9]))
    torch.testing.assert_close(path, torch.tensor([[24.0, 14.0, 9.0], [27.0, 16.0, 9.0]]))
    assert track(torch.zeros(3, 3, 64, 64, dtype=torch.uint8)).isnan().all()


def test_even_motion_is_smooth_and_every_fault_is_rough() -> None:
    even = roughness(square([(10, 2 * i) for i in range(9)], [8] * 9))
    assert even == pytest.approx([0, 0], abs=1e-5)
    jumping = roughness(square([(10, 2 * i + 4 * (i % 2)) for i in range(9)], [8] * 9))
    assert jumping[0] == pytest.approx(8)
    assert jumping[1] == pytest.approx(0, abs=1e-5)
    swelling = roughness(square([(10, 10)] * 9, [8 + 2 * (i % 2) for i in range(9)]))
    assert swelling[1] == pytest.approx(2 * np.log(10 / 8), rel=1e-3)
    assert np.isinf(roughness(torch.zeros(9, 3, 64, 64, dtype=torch.uint8))).all()


@pytest.fixture(scope="module")
def renders() -> list[tuple[Tensor, str]]:
    world = WorldConfig(size=64, frames=17, motions=("slide", "bounce"), places=("grass",), pair=0.0, moving_camera=0.0)
    scenes = [sample_scene(seed, world, "train") for seed in range(40)]
    return list(zip(render(scenes, 64, 17), [scene.things[0].motion for scene in scenes], strict=True))


def test_renders_pass_and_shaken_ones_do_not(renders: list[tuple[Tensor, str]]) -> None:
    videos, motions = [video for video, _ in renders], [motion for _, motion in renders]
    judge = MotionJudge(videos, motions)
    assert judge.plausible(videos, motions).mean() >= 0.9
    shaken = [torch.stack([frame.roll(3 * (i % 2), -1) for i, frame in enumerate(video)]) for video in videos]
    assert judge.plausible(shaken, motions).mean() <= 0.1


def test_a_rare_kind_is_held_to_the_limits_of_all(renders: list[tuple[Tensor, str]]) -> None:
    videos = [video for video, _ in renders]
    judge = MotionJudge(videos, ["one of a kind", *["usual"] * (len(videos) - 1)])
    assert judge.plausible(videos[:1], ["one of a kind"]) == judge.plausible(videos[:1], ["never seen"])
