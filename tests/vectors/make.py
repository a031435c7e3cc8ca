"""Writes the shared test vectors beside this file: `python tests/vectors/make.py` (needs diffusers for the schedule).

TypeScript's `src/flowmap` and Python's `anyflow.flowmap` are both held against them; `test_flowmap.py` fails where
this script would write something else.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "models"))

from anyflow.flowmap.chunks import chunk_plan, chunk_starts, split_chunks  # noqa: E402
from anyflow.flowmap.masks import padded_cache_bias, written_slots_bias  # noqa: E402
from anyflow.flowmap.philox import noise, noise_words, philox4x32  # noqa: E402
from anyflow.flowmap.rollout import generate_latents, seeded_noise  # noqa: E402


def schedule() -> dict[str, Any]:
    from diffusers import FlowMapEulerDiscreteScheduler

    cases = []
    for shift in (1.0, 3.0, 5.0):
        scheduler = FlowMapEulerDiscreteScheduler(shift=shift)
        for steps in range(1, 65):
            scheduler.set_timesteps(steps)
            cases.append({"steps": steps, "shift": shift, "sigmas": scheduler.sigmas.tolist()})
    return {"source": "diffusers FlowMapEulerDiscreteScheduler", "tolerance": 1e-6, "cases": cases}


def philox() -> dict[str, Any]:
    inputs = [
        ([0] * 4, [0] * 2),
        ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2),
        ([0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344], [0xA4093822, 0x299F31D0]),
        ([3, 7, 0, 0], [42, 0]),
    ]
    words = [
        {"counter": c, "key": k, "words": philox4x32(np.array(c, np.uint32), np.array(k, np.uint32)).tolist()}
        for c, k in inputs
    ]
    shape = (2, 3, 3)  # 18 values: the last block is cut
    cases = [
        {
            "seed": seed,
            "frame": frame,
            "shape": shape,
            "words": noise_words(seed, frame, 5).tolist(),
            "normals": noise(seed, frame, shape).ravel().tolist(),
        }
        for seed in (0, 1, 42, 2**32 - 1, 2**32 + 5, 2**53 - 1)
        for frame in (0, 1, 8, 70000)
    ]
    return {"layout": "models/README.md, Noise", "tolerance": 1e-6, "words": words, "noise": cases}


def rows(bias: Tensor) -> list[str]:
    """Rows of an additive bias as strings: 1 where the key may be seen."""
    return ["".join("1" if value == 0 else "0" for value in row) for row in bias.reshape(-1, bias.shape[-1])]


def chunks() -> dict[str, Any]:
    plans = [
        {"latentFrames": frames, "first": first, "rest": rest, "chunks": chunk_plan(frames, first, rest)}
        for frames, first, rest in ((1, 1, 2), (2, 1, 2), (9, 1, 2), (10, 1, 2), (21, 1, 3), (7, 3, 3), (2, 3, 3))
    ]
    splits, biases = [], []
    full_tokens, compressed_tokens = 4, 1
    for limit in (2, 3):
        for count in range(1, 7):
            plan = (1, 2, 2, 2, 2, 1)[:count]
            for kind in ("train", "cache", "step"):
                split = split_chunks(plan, limit, kind)
                splits.append(
                    {"chunks": plan, "fullChunkLimit": limit, "pass": kind}
                    | {"compressed": split.compressed, "full": split.full}
                )
            split = split_chunks(plan, limit, "cache")
            layout = (5, 9, full_tokens, compressed_tokens)
            biases.append(
                {"chunks": plan, "fullChunkLimit": limit, "fullSlots": 5, "compressedSlots": 9}
                | {"fullTokens": full_tokens, "compressedTokens": compressed_tokens}
                | {"bias": rows(padded_cache_bias(split, *layout))}
                | {"cacheBias": rows(written_slots_bias(split, *layout))[0]}
            )
    return {
        "note": "bias and cacheBias: 1 = 0.0 (seen), 0 = -30000; slots hold compressed frames first, then full ones",
        "plans": plans,
        "splits": splits,
        "biases": biases,
    }


class LinearFlowMap:
    """`u = a z + b t + c r + k mean(context) + p frame`: simple enough to write again in any language."""

    def __init__(self, a: float, b: float, c: float, k: float, p: float) -> None:
        self.a, self.b, self.c, self.k, self.p = a, b, c, k, p

    def write_cache(self, latents: Tensor, text: Tensor, chunks: tuple[int, ...]) -> Tensor:
        assert latents.shape[1] == sum(chunks)
        return latents.mean((1, 2, 3, 4), keepdim=True)

    def step(
        self, latents: Tensor, t: Tensor, r: Tensor, text: Tensor, chunks: tuple[int, ...], cache: Tensor | None
    ) -> Tensor:
        start = chunk_starts(chunks)[-2]
        frame = torch.arange(start, start + chunks[-1], dtype=latents.dtype)[None, :, None, None, None]
        times = (self.b * t + self.c * r)[:, None, None, None, None]
        return self.a * latents + times + self.p * frame + (0.0 if cache is None else self.k * cache)


def rollout() -> dict[str, Any]:
    numbers = {"a": 0.7, "b": -0.4, "c": 0.3, "k": 0.9, "p": 0.05}
    shape, cases = (2, 2, 2), []
    for seed, steps, shift, context_frames, plan in (
        (7, 1, 3.0, 0, (1, 2, 2)),
        (7, 4, 3.0, 0, (1, 2, 2)),
        (2**32 + 5, 3, 5.0, 1, (1, 2, 2, 1)),
        (123456789, 16, 1.0, 3, (1, 2, 2)),
    ):
        z = seeded_noise([seed], sum(plan), shape)
        context = seeded_noise([99], context_frames, shape) if context_frames else None
        text = torch.zeros(1, 1, 1)
        result = generate_latents(LinearFlowMap(**numbers), text, z, plan, steps=steps, shift=shift, context=context)
        cases.append(
            {"seed": seed, "steps": steps, "shift": shift, "chunks": plan, "shape": shape}
            | {"context": context.ravel().tolist() if context is not None else []}
            | {"latents": result.ravel().tolist()}
        )
    return {
        "model": "u = a z + b t + c r + k mean(all values of all earlier frames; 0 without any) + p frame",
        "layout": "context and latents are [frames, C, h, w] in row-major order; latents include the context",
        "tolerance": 1e-5,
        "numbers": numbers,
        "cases": cases,
    }


VECTORS = {"schedule": schedule, "philox": philox, "chunks": chunks, "rollout": rollout}

if __name__ == "__main__":
    for name, make in VECTORS.items():
        path = HERE / f"{name}.json"
        path.write_text(json.dumps(make(), separators=(",", ":")) + "\n")
        print(f"{path.name}: {path.stat().st_size} bytes")
