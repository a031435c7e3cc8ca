"""Real video as training material: WebDataset shards of ``mp4`` + ``txt`` samples, decoded with PyAV.

Each sample gives one clip: its first frames, at the world's 16 frames a second, scaled to cover the square and cropped
to it. A sample that is too short, has no caption, or cannot be decoded is left out, and counted.

Needs the optional packages: ``pip install -c models/constraints.txt -e "models[video]"``.
"""

from __future__ import annotations

import io
import json
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from .config import ConfigError, DataConfig
from .data import write_shard
from .worlds import FPS


class ClipError(ValueError):
    """A sample that gives no clip; the message is a short reason."""


def decode_clip(data: bytes, size: int, frames: int, fps: float = FPS) -> np.ndarray:
    """The first ``frames`` frames of a video file at ``fps``: uint8 ``[frames, 3, size, size]``, sRGB.

    For each instant k / fps the frame shown then (the last that began no later) is taken, whatever the file's own frame
    rate. Scaled so that the shorter side is ``size``, then the middle is cut out.

    Raises:
        ClipError: "unreadable" or "too short".
    """
    import av

    picked: list[np.ndarray] = []
    try:
        with av.open(io.BytesIO(data)) as container:
            if not container.streams.video:
                raise ClipError("no video")
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            begin: float | None = None
            shown = None
            for frame in container.decode(stream):
                time = 0.0 if frame.time is None else float(frame.time)
                begin = time if begin is None else begin
                # The frame before this one was on screen up to now.
                while shown is not None and len(picked) < frames and begin + len(picked) / fps < time - 1e-6:
                    picked.append(_square(shown, size))
                if len(picked) == frames:
                    break
                shown = frame
            else:
                if shown is not None:
                    end = float(shown.time or 0.0) + float(1 / (stream.average_rate or fps))
                    while len(picked) < frames and (begin or 0.0) + len(picked) / fps < end - 1e-6:
                        picked.append(_square(shown, size))
    except (av.FFmpegError, UnicodeDecodeError) as error:
        raise ClipError("unreadable") from error
    if len(picked) < frames:
        raise ClipError("too short")
    return np.stack(picked)


def _square(frame: Any, size: int) -> np.ndarray:
    """uint8 ``[3, size, size]`` from the middle of a frame."""
    scale = size / min(frame.width, frame.height)
    width, height = max(size, round(frame.width * scale)), max(size, round(frame.height * scale))
    picture = frame.reformat(width=width, height=height, format="rgb24", interpolation="AREA").to_ndarray()
    y, x = (height - size) // 2, (width - size) // 2
    return picture[y : y + size, x : x + size].transpose(2, 0, 1)


def captions_of(sample: dict[str, Any], count: int) -> list[str]:
    """``count`` captions from the sample's text: its lines, repeated if there are fewer.

    Raises:
        ClipError: "no caption".
    """
    lines = [line.strip() for line in sample.get("txt", b"").decode("utf-8", "replace").splitlines() if line.strip()]
    if not lines:
        raise ClipError("no caption")
    return [lines[k % len(lines)] for k in range(count)]


def read_samples(shards: str) -> Iterator[dict[str, Any]]:
    """Samples of the shards, in order; bytes by extension, and ``__key__``.

    Raises:
        ConfigError: if the packages or the shards are not there.
    """
    try:
        import webdataset
    except ImportError as error:
        raise ConfigError('real video needs webdataset and av: pip install -c models/constraints.txt -e "models[video]"') from error
    urls = webdataset.shardlists.expand_urls(shards)
    if missing := [url for url in urls if "://" not in url and not Path(url).exists()]:
        raise ConfigError(f"no shard {missing[0]!r} ({len(missing)} of {len(urls)} missing): look at data.videos")
    # Order matters for going on after a kill; shuffling is the training's business.
    return iter(webdataset.WebDataset(urls, shardshuffle=False, empty_check=False))


def import_split(config: DataConfig, folder: Path, split: str) -> None:
    """Bring a split ("train" or "heldout") below ``folder``, in the form that rendered clips have; goes on after a kill.

    Raises:
        ConfigError: if no sample of the shards gives a clip.
    """
    shards, limit = (config.videos, config.clips) if split == "train" else (config.heldout_videos, config.heldout_clips)
    if not shards:
        raise ConfigError("with data.videos, data.heldout_videos is needed too: shards that are not trained on")
    target = folder / split
    target.mkdir(parents=True, exist_ok=True)
    finished = target / "finished"
    if finished.exists():
        return
    written = sorted(target.glob("captions_*.json"))
    rows_before = [row for path in written for row in json.loads(path.read_text())]
    seen = rows_before[-1]["sample"] + 1 if rows_before else 0
    number, made = len(written), len(rows_before)
    left_out: Counter[str] = Counter()
    pixels: list[np.ndarray] = []
    rows: list[dict[str, Any]] = []

    def flush() -> None:
        nonlocal number
        if rows:
            write_shard(target, number, np.stack(pixels), rows)
            number += 1
            pixels.clear()
            rows.clear()

    with tqdm(total=limit, initial=made, desc=f"decode {split}", unit="clip") as bar:
        for index, sample in enumerate(read_samples(shards)):
            if index < seen:
                continue
            if made == limit:
                break
            try:
                captions = captions_of(sample, config.captions)
                if "mp4" not in sample:
                    raise ClipError("no mp4")
                pixels.append(decode_clip(sample["mp4"], config.size, config.frames))
            except ClipError as error:
                left_out[str(error)] += 1
                continue
            rows.append({"sample": index, "key": sample["__key__"], "captions": captions, "attributes": {}})
            made += 1
            bar.update()
            if len(rows) == config.shard:
                flush()
    flush()
    if left_out:
        reasons = ", ".join(f"{count} {reason}" for reason, count in left_out.most_common())
        warnings.warn(f"{split}: left out {left_out.total()} samples: {reasons}", stacklevel=2)
    if not made:
        raise ConfigError(f"no sample of {shards!r} gives a clip of {config.frames} frames at {FPS} a second with a caption")
    finished.write_text(f"{made} clips\n")
