"""``python -m anyflow.worlds --bench | --sheet out.png``: how fast, and how it looks."""

from __future__ import annotations

import argparse
import time

import torch

from . import WorldConfig, caption, contact_sheet, render, sample_scene


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m anyflow.worlds", description=__doc__)
    parser.add_argument("--bench", action="store_true", help="print clips per second")
    parser.add_argument("--sheet", metavar="PNG", help="write a contact sheet")
    parser.add_argument("--clips", type=int, default=12)
    parser.add_argument("--columns", type=int, default=8)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--frames", type=int, default=33)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--split", default="any", choices=("train", "heldout", "any"))
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--eager", action="store_true", help="without torch.compile")
    args = parser.parse_args()
    if not (args.bench or args.sheet):
        parser.error("say --bench or --sheet out.png")
    config = WorldConfig(size=args.size, frames=args.frames)
    scenes = [sample_scene(args.seed + i, config, args.split) for i in range(args.clips)]
    compiled = False if args.eager else True if args.bench else None
    if args.bench:
        begin = time.perf_counter()
        render(scenes, args.size, args.frames, args.device, compiled)
        print(f"compile and first pass: {time.perf_counter() - begin:.1f} s", flush=True)
    begin = time.perf_counter()
    cpu = time.process_time()
    videos = render(scenes, args.size, args.frames, args.device, compiled).cpu()
    seconds, cpu = time.perf_counter() - begin, time.process_time() - cpu
    if args.bench:
        rate = args.clips / seconds
        print(f"{rate:.1f} clips/s ({args.clips} clips of {args.frames} frames, {args.size}x{args.size}, {args.device})")
        print(f"{cpu / args.clips * 1000:.0f} ms of processor time a clip")
    if args.sheet:
        contact_sheet(list(videos), args.sheet, [caption(s, s.seed) for s in scenes], args.columns)
        print(f"wrote {args.sheet}")


if __name__ == "__main__":
    main()
