"""The Fréchet distance and its intervals on Gaussians, where the answer is known."""

import numpy as np
import pytest

from anyflow.frechet import bootstrap, frechet_distance, paired_bootstrap, share_interval


def test_distance_of_known_gaussians() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(40_000, 3)), rng.normal(size=(40_000, 3)) * 2 + [3, 0, 0]
    assert frechet_distance(a, b) == pytest.approx(9 + 3, rel=0.02)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-6)


def test_the_interval_lies_around_the_estimate_and_narrows_with_more_clips() -> None:
    rng = np.random.default_rng(2)
    real = rng.normal(size=(2000, 4))
    widths = []
    for count in (100, 1600):
        made = rng.normal(size=(count, 4)) + 1
        low, high = bootstrap(made, real)
        assert low <= frechet_distance(made, real) <= high
        widths.append(high - low)
    assert widths[1] < widths[0] / 2


def test_pairs_show_a_difference_that_separate_intervals_hide() -> None:
    rng = np.random.default_rng(3)
    real, clips = rng.normal(size=(128, 4)), 3 * rng.normal(size=(128, 4))
    better, worse = clips * 0.95, clips
    low, high = paired_bootstrap(better, worse, real)
    assert low <= frechet_distance(better, real) - frechet_distance(worse, real) <= high < 0
    assert bootstrap(better, real)[1] > bootstrap(worse, real)[0]
    assert paired_bootstrap(worse, worse, real) == (0, 0)
    with pytest.raises(ValueError, match="128 and 64"):
        paired_bootstrap(clips, clips[:64], real)


def test_interval_of_a_share() -> None:
    low, high = share_interval(np.array([1.0] * 90 + [0.0] * 10))
    assert 0.82 < low < 0.9 < high < 0.97
