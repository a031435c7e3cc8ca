"""Configuration of the whole line: one YAML file, one dataclass tree, unknown keys refused by name."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

import yaml

from .transformer import TransformerConfig
from .vae import VaeConfig

MODELS_DIR = Path(__file__).resolve().parent.parent


class ConfigError(ValueError):
    """A configuration that can't be used; the message names the key and says what would be right."""


@dataclass
class DataConfig:
    """What is learnt from: rendered clips, or real ones.

    ``world`` goes to `worlds.WorldConfig.from_dict`; ``captions`` are written for each clip. With ``videos``, clips come
    from those WebDataset shards instead (`webvideo`: paths or URLs, in brace notation), ``heldout_videos`` for the
    held-out split; ``clips`` and ``heldout_clips`` are then upper limits, and ``captions`` how many of a clip's are used.
    ``free_captions`` more a rendered clip are written outside the grammar (`worlds.free_captions`): a student learns them
    from a teacher that is told one of the ``captions`` instead. ``first_clip`` is the number of the first training scene:
    from another number on, the clips are new ones of the same world, while the held-out clips stay.
    """

    world: dict[str, Any] = field(default_factory=dict)
    size: int = 128
    frames: int = 33
    clips: int = 1024
    first_clip: int = 0
    heldout_clips: int = 64
    captions: int = 2
    free_captions: int = 0
    seed: int = 1
    shard: int = 256
    videos: str = ""
    heldout_videos: str = ""


@dataclass
class LoopConfig:
    """One optimisation run.

    It ends after ``steps`` or ``minutes`` of its own time, whichever is first (``minutes: 0`` is no limit); the
    learning rate follows a linear warm-up, a plateau, and a cosine from ``decay_from`` of the way to
    ``final_lr`` of the peak. ``matrix_lr`` is Muon's peak rate for weight matrices, ``lr`` AdamW's for the rest (for all
    if ``matrix_lr`` is 0). ``ema`` is the decay of the exponential moving average once warmed up. ``accumulate`` is
    micro-batches a step and process under torchrun (`train.sharded`). ``seed`` selects the sequence of batches and noise:
    change it when a run starts from weights that the same data made. ``cpu_bfloat16`` has transformers computed in bfloat16 on
    CPUs that have the instructions (twice as fast, measured), as they always are on CUDA.
    """

    steps: int = 1000
    seed: int = 0
    minutes: float = 0.0
    batch: int = 16
    lr: float = 1e-3
    matrix_lr: float = 0.0
    final_lr: float = 0.05
    decay_from: float = 0.6
    warmup: int = 50
    weight_decay: float = 0.01
    beta2: float = 0.95
    clip: float = 1.0
    ema: float = 0.999
    save_seconds: float = 120.0
    accumulate: int = 1
    compile: bool = True
    cpu_bfloat16: bool = False


@dataclass
class VaeTraining(LoopConfig):
    """``crop`` pixels and ``latent_frames`` of a sample, a share ``salient`` of them around objects; ``edges``,
    ``squared`` weigh the losses on image gradients and squared error beside L1."""

    crop: int = 64
    latent_frames: int = 3
    salient: float = 0.75
    edges: float = 0.5
    squared: float = 20.0


@dataclass
class DecoderTraining(VaeTraining):
    """The decoder on latents that the student makes (`train.decoder`): noised up to sigma ``highest`` and mapped back; a share
    ``exact`` of the batch is the autoencoder's own, noised as in its stage. ``long_context`` as in `TeacherTraining`."""

    batch: int = 4
    highest: float = 0.5
    exact: float = 0.25
    long_context: float = 0.5


@dataclass
class TeacherTraining(LoopConfig):
    """Stage 1, flow matching.

    ``density`` and ``shift`` are how times are drawn (`flowmap.losses.TimestepConfig`); ``context_noise`` the highest
    sigma of noise on the clean context; ``long_context`` the share of batches with more chunks than fit uncompressed;
    ``bidirectional`` the share of batches whose frames are one chunk (all see all): one teacher then serves both
    architectures, and its bidirectional half is the score that judges whole clips in stage 3.
    """

    density: str = "logit_normal"
    shift: float = 2.0
    text_dropout: float = 0.1
    context_noise: float = 0.1
    long_context: float = 0.5
    bidirectional: float = 0.0


@dataclass
class StudentTraining(TeacherTraining):
    """Stage 2, forward flow-map training (`flowmap.losses.FlowMapLoss`). ``difference_float32`` false leaves the central
    difference in the mixed precision of the rest: its rounding is divided by 2 epsilon, so only for a wide one.
    ``consistency_difference`` is ``difference`` in the baseline's stage, where all samples have r = 0, with target `teacher`."""

    guidance: float = 3.0
    share_diffusion: float = 0.5
    share_consistency: float = 0.25
    epsilon: float = 0.005
    difference: str = "central"
    consistency_difference: str = "discrete"
    difference_float32: bool = True
    target: str = "teacher"
    density: str = "uniform"


@dataclass
class OnPolicyTraining(StudentTraining):
    """Stage 3 (`train.onpolicy`). ``batch`` is the forward flow-map loss's, ``rollout_batch`` the rollout's.

    ``rollout_steps`` are the step counts N that are simulated; ``rollout_chunks`` the lengths of rollouts (drawn anew each
    step; none: that of the training clips), of which longer ones go on as `generate_latents` does with a window of a training
    clip's chunks; that window is what is judged; ``judge`` how the scores see it (`flowmap.distribution`, or ``mixed``:
    `train.onpolicy.judges_of`); ``matching`` and
    ``forward`` weigh the two losses; the fake score learns with ``fake_lr`` and ``fake_matrix_lr`` (AdamW and Muon),
    ``fake_updates`` times on every rollout, and for ``fake_warmup`` steps before the student follows it. ``real_guidance`` is
    that of the teacher as the real score (0: ``guidance``, as in the forward loss).
    """

    rollout_batch: int = 16
    rollout_steps: list[int] = field(default_factory=lambda: [1, 2, 4, 8, 16, 32])
    rollout_chunks: list[int] = field(default_factory=list)
    judge: str = "whole"
    matching: float = 1.0
    forward: float = 1.0
    fake_lr: float = 2e-4
    fake_matrix_lr: float = 0.002
    fake_warmup: int = 20
    fake_updates: int = 1
    real_guidance: float = 0.0
    compile: bool = False


@dataclass
class LoraConfig:
    """Adapters instead of full training (`lora`): on linear layers called ``modules``; ``also`` names other parameters to
    train. Rank 0 trains everything."""

    rank: int = 0
    alpha: float = 0.0
    modules: list[str] = field(default_factory=list)
    also: list[str] = field(default_factory=list)


@dataclass
class ClipConfig:
    """Shape of a training clip where it does not come from the renderer, for `plan`. Sizes in pixels."""

    frames: int = 33
    height: int = 128
    width: int = 128
    spatial_stride: int = 16
    temporal_stride: int = 4


@dataclass
class RecogniserTraining(LoopConfig):
    """The judge of `evaluate` (`train.recogniser`)."""

    steps: int = 1500
    batch: int = 32
    matrix_lr: float = 0.01
    ema: float = 0.99


@dataclass
class SampleConfig:
    """How the finished student is sampled by default: chunk plan (first, rest) and timestep shift."""

    first: int = 1
    rest: int = 2
    shift: float = 2.0
    steps: int = 4


@dataclass
class Config:
    """Everything one model needs; ``name`` is the folder below ``models/runs``.

    ``shares`` names another configuration whose data, autoencoder, latents, teacher and recogniser this one's run uses.
    """

    name: str = "micro"
    id: str = "worlds-micro"
    title: str = "Worlds"
    description: str = "Small lit 3D scenes"
    examples: list[str] = field(default_factory=list)
    threads: int = 0
    shares: str = ""
    data: DataConfig = field(default_factory=DataConfig)
    vae: VaeConfig = field(default_factory=VaeConfig)
    vae_training: VaeTraining = field(default_factory=VaeTraining)
    transformer: TransformerConfig = field(default_factory=TransformerConfig)
    teacher: TeacherTraining = field(default_factory=TeacherTraining)
    student: StudentTraining = field(default_factory=StudentTraining)
    onpolicy: OnPolicyTraining = field(default_factory=OnPolicyTraining)
    decoder: DecoderTraining = field(default_factory=DecoderTraining)
    recogniser: RecogniserTraining = field(default_factory=RecogniserTraining)
    lora: LoraConfig = field(default_factory=LoraConfig)
    clip: ClipConfig = field(default_factory=ClipConfig)
    sample: SampleConfig = field(default_factory=SampleConfig)

    @property
    def latent_frames(self) -> int:
        return (self.data.frames - 1) // 4 + 1


def build(cls: type, values: dict[str, Any], where: str) -> Any:
    """Build dataclass ``cls`` from a mapping, recursively; ``where`` names the place in error messages."""
    if not isinstance(values, dict):
        raise ConfigError(f"{where}: expected a mapping, got {type(values).__name__}")
    hints = get_type_hints(cls)
    known = {f.name for f in fields(cls)}
    unknown = sorted(set(values) - known)
    if unknown:
        raise ConfigError(f"{where}: unknown key {unknown[0]!r}; known keys are {', '.join(sorted(known))}")
    made = {}
    for key, value in values.items():
        hint = hints[key]
        if is_dataclass(hint):
            value = build(hint, value, f"{where}.{key}")
        elif hint is float and isinstance(value, int):
            value = float(value)
        elif hint in (int, float, str, bool) and not isinstance(value, hint):
            raise ConfigError(f"{where}.{key}: expected {hint.__name__}, got {value!r}")
        elif isinstance(value, list) and "tuple" in str(hint):
            value = tuple(value)
        made[key] = value
    return cls(**made)


def merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """``base`` with ``changes`` on top, mappings merged key by key."""
    result = dict(base)
    for key, value in changes.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = merged(result[key], value) if both else value
    return result


def read_values(name: str | Path) -> tuple[str, dict[str, Any]]:
    """A configuration file's stem and values, on top of those of the configuration that its ``base`` names.

    Raises:
        ConfigError: if there is no such file.
    """
    path = Path(name)
    if path.suffix not in (".yaml", ".yml"):  # A name may hold a dot: wan-1.3b.
        path = MODELS_DIR / "configs" / f"{name}.yaml"
    if not path.exists():
        there = ", ".join(sorted(p.stem for p in (MODELS_DIR / "configs").glob("*.yaml")))
        raise ConfigError(f"no configuration {str(name)!r}; there are {there}, or give the path of a .yaml file")
    values = yaml.safe_load(path.read_text()) or {}
    base = values.pop("base", None) if isinstance(values, dict) else None
    return path.stem, values if base is None else merged(read_values(base)[1], values)


def load_config(name: str | Path) -> Config:
    """Load ``models/configs/<name>.yaml`` or the YAML file at a path.

    Raises:
        ConfigError: if there is no such file, or a key or a type in it is wrong.
    """
    stem, values = read_values(name)
    return build(Config, values, stem)
