"""``python -m anyflow train | generate | evaluate | compare | export | pack | unpack | rebase | plan --config NAME``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch

from .config import MODELS_DIR, Config, ConfigError, load_config

STAGES = ("data", "vae", "latents", "teacher", "student", "decoder")
EVERY_STAGE = (*STAGES, "onpolicy", "consistency", "recogniser")
STUDENTS = ("student", "onpolicy", "consistency")


def run_folder(config: Config, where: str | None) -> Path:
    """Where a configuration's data and checkpoints lie; what it shares with another run is linked into it."""
    run = Path(where) if where else MODELS_DIR / "runs" / config.name
    if config.shares:
        run.mkdir(parents=True, exist_ok=True)
        for part in ("data", "vae", "latents", "teacher", "decoder", "recogniser"):
            link = run / part
            if not link.exists():
                link.unlink(missing_ok=True)
                (run.parent / config.shares / part).mkdir(parents=True, exist_ok=True)
                link.symlink_to(Path("..") / config.shares / part)
    return run


def make_data(config: Config, run: Path) -> None:
    """Render the clips, or decode real ones."""
    from .data import render_split
    from .device import pick_device
    from .webvideo import import_split

    for split in ("heldout", "train"):
        if config.data.videos:
            import_split(config.data, run / "data", split)
        else:
            render_split(config.data, run / "data", split, str(pick_device()))


def train(config: Config, run: Path, stages: list[str]) -> None:
    """Run the stages in order; a finished stage is left as it is, an interrupted one goes on.

    Raises:
        ConfigError: under torchrun, for a stage that one process runs.
    """
    from .train.sharded import leave_processes, start_processes

    if start_processes() and (alone := [stage for stage in stages if stage not in ("teacher", "student", "consistency")]):
        raise ConfigError(f"stage {alone[0]!r} runs in one process: run it without torchrun first")
    for stage in stages:
        if stage == "data":
            make_data(config, run)
        elif stage == "vae":
            from .train.autoencoder import train_vae

            train_vae(config, run)
        elif stage == "latents":
            from .latents import make_latents

            make_latents(config, run)
        elif stage == "decoder":
            from .train.decoder import train_decoder

            train_decoder(config, run)
        elif stage == "recogniser":
            from .train.recogniser import train_recogniser

            train_recogniser(config, run)
        elif stage == "onpolicy":
            from .train.onpolicy import train_onpolicy

            train_onpolicy(config, run)
        elif stage == "teacher":
            from .train.flow import train_teacher

            train_teacher(config, run)
        else:
            from .train.flow import train_student

            train_student(config, run, stage)
    leave_processes()


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m anyflow", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True)
    for name, text in (
        ("train", "render the data and train, stage by stage; goes on where it was stopped"),
        ("generate", "sample videos from a trained run"),
        ("evaluate", "measure a trained run on held-out prompts"),
        ("export", "write the browser package"),
        ("pack", "keep the run's weights in models/checkpoints (fp16)"),
        ("unpack", "put kept weights into a run"),
        ("rebase", "start a student from an earlier one whose teacher was trained further since"),
        ("compare", "gather evaluations into models/results/any-step.json and its plot"),
        ("plan", "memory and time of a large training run, from stated assumptions"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("--config", default="cpu", help="name in models/configs, or a .yaml path")
        # torchrun takes "--run" for an abbreviation of options of its own, hence the second name.
        command.add_argument("--run", "--run-folder", dest="run", help="run folder (default models/runs/<name>)")
        command.add_argument("--threads", type=int, default=0, help="CPU threads (0: all cores)")
        if name == "train":
            command.add_argument("--stage", action="append", choices=EVERY_STAGE, help="only this stage (repeatable)")
        if name in ("generate", "evaluate", "export"):
            models = ("student", "onpolicy") if name == "export" else (*STUDENTS, "teacher")
            command.add_argument("--model", choices=models, default="student")
        if name in ("generate", "evaluate"):
            command.add_argument("--out", help="output folder (default <run>/<command>)")
        if name == "generate":
            command.add_argument("prompt", nargs="*", help="prompts (default: eight held-out captions)")
            command.add_argument("--steps", default="1,4,16", help="step counts, comma separated")
            command.add_argument("--seed", type=int, default=1, help="seed of the first prompt; each next has one more")
        if name == "evaluate":
            command.add_argument("--steps", default="1,2,4,8,16,32")
            command.add_argument("--clips", type=int, default=128)
            command.add_argument("--seed", type=int, default=1, help="seed of the first clip")
            command.add_argument("--drift", type=int, default=0, metavar="STEPS", help="measure drift instead, at this many steps")
        if name in ("pack", "unpack"):
            kept = ("vae", "teacher", *STUDENTS, "recogniser")
            command.add_argument("--stage", action="append", choices=kept, help="only this stage (repeatable)")
        if name == "pack":
            command.add_argument("--out", help="folder (default models/checkpoints/<name>)")
            command.add_argument("--delta", action="store_true", help="in four bits, as the difference from the package")
        if name == "unpack":
            command.add_argument("--packed", help="whose packed weights to take (default: this configuration's)")
            command.add_argument("--start", action="store_true", help="to train further from, not as finished stages")
        if name == "rebase":
            command.add_argument("old", type=Path, help="run folder with the earlier teacher and student, unpacked")
            command.add_argument("--share", type=float, default=0.75, help="of what distillation changed in the earlier teacher")
            command.add_argument("--stage", action="append", choices=("student", "consistency"), help="only this (repeatable)")
        if name == "compare":
            command.add_argument("runs", nargs="*", type=Path, help="run folders (default: the configuration's)")
            command.add_argument("--out", help="output folder (default models/results)")
        if name == "plan":
            command.add_argument("--gpus", type=int, default=8)
            command.add_argument("--clips", type=int, default=100_000, help="clips of an epoch")
            command.add_argument("--peak-tflops", type=float, default=989.0, help="bf16, of one GPU")
            command.add_argument("--mfu", type=float, default=0.40, help="share of the peak that training reaches")
            command.add_argument("--memory-gib", type=float, default=80.0, help="memory of one GPU")
        if name == "export":
            command.add_argument("--out", help="package folder (default public/models/<id>)")
    return top


def main(arguments: list[str] | None = None) -> int:
    args = parser().parse_args(arguments)
    try:
        config = load_config(args.config)
        threads = args.threads or config.threads
        if threads:
            torch.set_num_threads(threads)
        run = run_folder(config, args.run)
        if args.command == "train":
            train(config, run, args.stage or list(STAGES))
        elif args.command == "generate":
            from .generate import generate_sheet

            steps = [int(s) for s in args.steps.split(",")]
            generate_sheet(config, run, args.model, args.prompt, steps, args.seed, Path(args.out or run / "generate"))
        elif args.command == "evaluate":
            from .evaluate import evaluate, evaluate_drift

            out = Path(args.out or run / "evaluate")
            if args.drift:
                evaluate_drift(config, run, args.model, args.drift, args.clips, args.seed, out)
            else:
                steps = [int(s) for s in args.steps.split(",")]
                evaluate(config, run, args.model, steps, args.clips, args.seed, out)
        elif args.command == "compare":
            from .results import compare

            compare(args.runs or [run], MODELS_DIR / "results" if not args.out else Path(args.out))
        elif args.command == "plan":
            from .plan import Assumptions, describe

            print(describe(config, Assumptions(args.gpus, args.clips, args.peak_tflops, args.mfu, args.memory_gib)))
        elif args.command in ("pack", "unpack"):
            from . import checkpoints

            stages = tuple(args.stage or (checkpoints.PACKED_STAGES if args.command == "pack" else checkpoints.STAGES))
            if args.command == "pack":
                written = checkpoints.pack(config, run, stages, Path(args.out) if args.out else None, args.delta)
            else:
                written = checkpoints.unpack(config, run, stages, args.start, args.packed)
            print("\n".join(f"wrote {path}" for path in written))
        elif args.command == "rebase":
            from .rebase import rebase

            written = rebase(run, args.old, tuple(args.stage or ("student", "consistency")), args.share)
            print("\n".join(f"wrote {path}" for path in written))
        else:
            from .package_run import export_run

            export_run(config, run, args.model, Path(args.out) if args.out else MODELS_DIR.parent / "public" / "models" / config.id)
    except (ConfigError, FileNotFoundError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
