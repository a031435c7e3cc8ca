"""Export of a trained run: what `export.export_package` needs, read from the run's folder."""

from __future__ import annotations

import datetime
import json
import subprocess
from pathlib import Path

from .config import Config
from .export import PackageInfo, export_package
from .generate import heldout_prompts
from .train.autoencoder import autoencoder_metrics, load_vae
from .train.flow import load_transformer


def current_commit() -> str:
    """The repository's commit, or "unknown" outside a checkout (on a rented machine, say)."""
    try:
        return subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=Path(__file__).parent, check=True, capture_output=True, text=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def run_metrics(run: Path, kind: str) -> dict[str, float]:
    """Measured figures of a run that its stages and `evaluate` wrote; what was not measured is not there."""
    metrics: dict[str, float] = {}
    student = run / "evaluate" / f"{kind}.json"
    if measured := autoencoder_metrics(run):
        metrics["psnrHeldoutDb"] = round(measured["psnr_heldout_db"], 2)
    if student.exists():
        result = json.loads(student.read_text())
        metrics["frechetFloor"] = round(result["frechet_floor"], 3)
        for row in result["rows"]:
            metrics[f"frechet{row['nfe']}Steps"] = round(row["frechet"], 3)
            metrics[f"promptAccuracy{row['nfe']}Steps"] = round(row["prompt_accuracy"], 3)
    return metrics


def export_run(config: Config, run: Path, kind: str, out: Path) -> None:
    """Write the browser package of a run's student (stage ``kind``: "student" or "onpolicy") to ``out``.

    Raises:
        FileNotFoundError: if the run lacks a stage.
    """
    transformer, vae = load_transformer(config, run, kind), load_vae(config, run)
    info = PackageInfo(
        id=config.id,
        name=config.title,
        description=config.description,
        config=config.name,
        stage=kind,
        date=datetime.date.today().isoformat(),
        commit=current_commit(),
        shift=config.sample.shift,
        chunk_first=config.sample.first,
        chunk_rest=config.sample.rest,
        max_frames=config.data.frames,
        default_frames=config.data.frames,
        metrics=run_metrics(run, kind),
        examples=tuple((prompt, seed) for seed, prompt in enumerate(config.examples or heldout_prompts(run, 6), 1)),
    )
    manifest = export_package(out, transformer, vae, info, config.data.size, config.data.size)
    size = sum(path.stat().st_size for path in out.iterdir())
    print(f"wrote {manifest} ({size / 2**20:.1f} MiB in all)")
