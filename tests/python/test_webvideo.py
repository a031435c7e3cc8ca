"""Real video from WebDataset shards: which frames are taken, what is left out, and going on after a kill."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import av
import numpy as np
import pytest

from anyflow.config import ConfigError, DataConfig
from anyflow.data import open_clips
from anyflow.webvideo import ClipError, captions_of, decode_clip, import_split


def film(frames: int, fps: int, width: int = 96, height: int = 64) -> bytes:
    """An MP4 that gets brighter by 4 levels a frame; its left quarter is black."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=fps, options={"crf": "1", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv444p"
        for k in range(frames):
            picture = np.full((height, width, 3), 4 * k, np.uint8)
            picture[:, : width // 4] = 0
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return file.getvalue()


def shard(path: Path, samples: list[dict[str, bytes]], first: int = 0) -> None:
    with tarfile.open(path, "w") as tar:
        for number, sample in enumerate(samples):
            for extension, data in sample.items():
                info = tarfile.TarInfo(f"{first + number:06d}.{extension}")
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))


@pytest.mark.parametrize(("fps", "shown"), [(16, [0, 1, 2, 3, 4]), (30, [0, 1, 3, 5, 7]), (8, [0, 0, 1, 1, 2])])
def test_frames_are_those_on_screen_at_16_a_second(fps: int, shown: list[int]) -> None:
    clip = decode_clip(film(50, fps), 32, 5)
    assert clip.shape == (5, 3, 32, 32) and clip.dtype == np.uint8
    # 96 x 64 covers the square as 48 x 32; the middle 32 columns begin at 8, of which 4 are black.
    assert np.abs(clip[:, :, :, 8:].mean((1, 2, 3)) - 4 * np.array(shown)).max() < 2.5
    assert clip[:, :, :, :3].max() < 8


def test_the_last_frame_stays_for_its_own_time() -> None:
    assert len(decode_clip(film(8, 8), 32, 16)) == 16
    with pytest.raises(ClipError, match="too short"):
        decode_clip(film(8, 8), 32, 17)


def test_what_is_no_video_is_unreadable() -> None:
    with pytest.raises(ClipError, match="unreadable"):
        decode_clip(b"not a video", 32, 5)
    with pytest.raises(ClipError, match=r"unreadable|too short"):
        decode_clip(film(20, 16)[:900], 32, 5)


def test_captions_are_lines() -> None:
    assert captions_of({"txt": b"a dog\n\n runs \n"}, 3) == ["a dog", "runs", "a dog"]
    with pytest.raises(ClipError, match="no caption"):
        captions_of({"txt": b" \n"}, 1)


def config(folder: Path, **more: object) -> DataConfig:
    return DataConfig(size=32, frames=5, captions=2, shard=2, videos=str(folder / "train-{0..1}.tar"),
                      heldout_videos=str(folder / "held.tar"), **more)  # fmt: skip


def make_shards(folder: Path) -> None:
    good = {"mp4": film(12, 16), "txt": b"a grey wall gets brighter"}
    shard(folder / "train-0.tar", [good, {"mp4": b"broken", "txt": b"x"}, {"mp4": film(2, 16), "txt": b"x"}, good])
    shard(folder / "train-1.tar", [{"mp4": good["mp4"]}, {"txt": b"x"}, good, good, good], first=4)
    shard(folder / "held.tar", [good])


def test_shards_become_clips_and_what_gives_none_is_counted(tmp_path: Path) -> None:
    make_shards(tmp_path)
    with pytest.warns(UserWarning, match="left out 4 samples") as told:
        import_split(config(tmp_path), tmp_path / "data", "train")
    message = next(str(entry.message) for entry in told if "left out" in str(entry.message))
    assert {"1 unreadable", "1 too short", "1 no caption", "1 no mp4"} == set(message.split(": ")[-1].split(", "))
    clips = open_clips(tmp_path / "data", "train")
    assert [row["key"] for row in clips.rows] == ["000000", "000003", "000006", "000007", "000008"]
    assert clips.rows[0]["captions"] == ["a grey wall gets brighter"] * 2
    assert clips.video(4).shape == (5, 3, 32, 32)
    import_split(config(tmp_path), tmp_path / "data", "heldout")
    assert len(open_clips(tmp_path / "data", "heldout")) == 1


@pytest.mark.filterwarnings("ignore:train. left out")
def test_it_goes_on_after_a_kill_and_stops_at_the_limit(tmp_path: Path) -> None:
    make_shards(tmp_path)
    import_split(config(tmp_path, clips=4), tmp_path / "data", "train")
    whole = [row["key"] for row in open_clips(tmp_path / "data", "train").rows]
    assert whole == ["000000", "000003", "000006", "000007"]
    for name in ("captions_0001.json", "finished"):
        (tmp_path / "data" / "train" / name).unlink()
    import_split(config(tmp_path, clips=4), tmp_path / "data", "train")
    assert [row["key"] for row in open_clips(tmp_path / "data", "train").rows] == whole
    assert json.loads((tmp_path / "data" / "train" / "captions_0001.json").read_text())[0]["sample"] == 6


def test_missing_shards_and_useless_ones_say_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no shard .*train-0.tar' \(2 of 2 missing\)"):
        import_split(config(tmp_path), tmp_path / "data", "train")
    with pytest.raises(ConfigError, match=r"heldout_videos is needed"):
        import_split(DataConfig(videos="x.tar"), tmp_path / "data", "heldout")
    for name in ("train-0.tar", "train-1.tar"):
        shard(tmp_path / name, [{"txt": b"no picture"}])
    with pytest.raises(ConfigError, match="no sample"), pytest.warns(UserWarning, match="2 no mp4"):
        import_split(config(tmp_path), tmp_path / "data", "train")
