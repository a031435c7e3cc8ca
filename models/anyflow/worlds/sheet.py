"""Contact sheets: a row a clip, a column a frame, the caption under each row."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor


def contact_sheet(
    videos: Sequence[Tensor], path: str | Path, captions: Sequence[str] | None = None, columns: int = 6, gap: int = 4
) -> None:
    """Write a PNG.

    Args:
        videos: clips, uint8 ``[T, 3, H, W]``.
        captions: one line of text under each row, or none.
        columns: frames shown of each clip, evenly spaced from the first to the last.
    """
    if not videos:
        raise ValueError("a contact sheet needs at least one video")
    if captions is not None and len(captions) != len(videos):
        raise ValueError(f"{len(videos)} videos but {len(captions)} captions")
    height, width = videos[0].shape[-2:]
    line = 18 if captions else 0
    page = Image.new("RGB", (gap + columns * (width + gap), gap + len(videos) * (height + line + gap)), (250, 250, 250))
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(size=13)
    for row, video in enumerate(videos):
        top = gap + row * (height + line + gap)
        for column, frame in enumerate(np.linspace(0, len(video) - 1, columns).round().astype(int)):
            picture = video[frame].permute(1, 2, 0).cpu().numpy()
            page.paste(Image.fromarray(picture), (gap + column * (width + gap), top))
        if captions:
            pen.text((gap + 2, top + height), captions[row], fill=(30, 30, 30), font=font)
    page.save(path)
