"""Clips on disk."""

from pathlib import Path

import numpy as np

from anyflow.config import DataConfig
from anyflow.data import open_clips, render_split


def test_new_training_clips_go_on_where_others_ended_and_leave_the_heldout_ones(tmp_path: Path) -> None:
    world = {
        "objects": ["ball", "cube"], "colours": ["red", "blue", "green"], "places": ["grass"], "motions": ["spin", "slide"],
        "holdout": 0.4,
    }
    settings = {"world": world, "size": 32, "frames": 5, "heldout_clips": 1, "captions": 1, "shard": 2}
    for name, config in {
        "all": DataConfig(clips=3, **settings),
        "later": DataConfig(clips=1, first_clip=2, **settings),
    }.items():
        for split in ("heldout", "train"):
            render_split(config, tmp_path / name, split)
    everything, later = (open_clips(tmp_path / name, "train") for name in ("all", "later"))
    assert later.rows == everything.rows[2:]
    assert np.array_equal(later.video(0), everything.video(2))
    assert not np.array_equal(later.video(0), everything.video(0))
    assert open_clips(tmp_path / "all", "heldout").rows == open_clips(tmp_path / "later", "heldout").rows
