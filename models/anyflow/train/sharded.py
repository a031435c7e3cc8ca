"""Training over many processes: fully sharded (FSDP2), with checkpoints that any number of processes can resume.

Started by ``torchrun``. A step's batch is cut into micro-batches with seeds of their own, numbered over all processes, so that
the losses do not depend on how many processes share the work: two processes with one micro-batch each do what one
process does with two.
"""

from __future__ import annotations

import copy
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import torch
import torch.distributed as dist
import torch.distributed.checkpoint as dcp
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict, get_state_dict, set_state_dict
from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard, register_fsdp_forward_method

from ..config import ConfigError, LoopConfig
from ..transformer import AnyFlowFARTransformer
from .loop import atomic_save, schedule, step_seed

MicroLoss = Callable[[int, int], tuple[Tensor, dict[str, float]]]
_ENTRIES = ("forward_train", "write_cache", "step")


def start_processes() -> bool:
    """Join the process group that ``torchrun`` describes; False where there is none.

    Every process gets its own GPU, or a share of the CPU (gloo).
    """
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        return False
    if not dist.is_initialized():
        cuda = torch.cuda.is_available()
        if cuda:
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        dist.init_process_group("nccl" if cuda else "gloo")
    return True


def leave_processes() -> None:
    """Leave the process group, if there is one: its threads must not outlive the interpreter (now and then that aborts)."""
    if dist.is_initialized():
        dist.destroy_process_group()


def shard(model: AnyFlowFARTransformer) -> AnyFlowFARTransformer:
    """Shard every block and the rest of the network over all processes, in place; bf16 compute on GPUs."""
    cuda = next(model.parameters()).device.type == "cuda"
    policy = MixedPrecisionPolicy(param_dtype=torch.bfloat16, reduce_dtype=torch.float32) if cuda else MixedPrecisionPolicy()
    for block in model.blocks:
        fully_shard(block, mp_policy=policy)
    fully_shard(model, mp_policy=policy)
    for name in _ENTRIES:  # entry points other than ``forward`` must gather the weights too
        register_fsdp_forward_method(model, name)
    return model


class ShardedLoop:
    """The optimisation loop of `loop.Loop` over processes: AdamW, EMA, sharded checkpoints in ``folder / checkpoint-<step>``.

    ``model`` comes whole and equal on every process, and is sharded here. ``accumulate`` micro-batches a step and process.
    """

    def __init__(self, name: str, model: AnyFlowFARTransformer, config: LoopConfig, folder: Path, accumulate: int = 1) -> None:
        self.name, self.config, self.folder, self.accumulate = name, config, folder, accumulate
        self.rank, self.world = dist.get_rank(), dist.get_world_size()
        self.parts = self.world * accumulate
        if config.batch % self.parts:
            raise ConfigError(
                f"batch {config.batch} cannot be shared by {self.world} processes of {accumulate} micro-batches; use a multiple "
                f"of {self.parts}"
            )
        if config.minutes:
            raise ConfigError("a run over several processes ends by steps: set minutes to 0")
        self.ema = shard(copy.deepcopy(model).requires_grad_(False))
        self.model = shard(model)
        self.trained = [p for p in self.model.parameters() if p.requires_grad]
        groups = [
            {"params": [p for p in self.trained if p.ndim > 1], "weight_decay": config.weight_decay},
            {"params": [p for p in self.trained if p.ndim <= 1], "weight_decay": 0.0},
        ]
        self.optimizer = torch.optim.AdamW(groups, lr=config.lr, betas=(0.9, config.beta2))
        self.step = 0

    @property
    def micro_batch(self) -> int:
        """Samples of one micro-batch."""
        return self.config.batch // self.parts

    def _state(self) -> dict[str, object]:
        model, optimizer = get_state_dict(self.model, self.optimizer)
        return {"model": model, "optimizer": optimizer, "ema": get_model_state_dict(self.ema), "step": torch.tensor(self.step)}

    def save(self) -> None:
        """Write the shards beside the last checkpoint, then make them the last one."""
        name = f"checkpoint-{self.step}"
        dcp.save(self._state(), checkpoint_id=self.folder / name)
        dist.barrier()
        if self.rank == 0:
            latest = self.folder / "latest"
            before = latest.read_text() if latest.exists() else None
            partial = self.folder / "latest.partial"
            partial.write_text(name)
            os.replace(partial, latest)
            if before not in (None, name):
                shutil.rmtree(self.folder / str(before), ignore_errors=True)
        dist.barrier()

    def resume(self) -> bool:
        """Load the last checkpoint, written by however many processes; True if there was one."""
        latest = self.folder / "latest"
        if not latest.exists():
            return False
        state = self._state()
        dcp.load(state, checkpoint_id=self.folder / latest.read_text())
        set_state_dict(self.model, self.optimizer, model_state_dict=state["model"], optim_state_dict=state["optimizer"])  # type: ignore[arg-type]
        self.ema.load_state_dict(state["ema"])  # type: ignore[arg-type]
        self.step = int(state["step"])  # type: ignore[call-overload]
        return True

    @torch.no_grad()
    def _follow(self) -> None:
        decay = min(self.config.ema, (1 + self.step) / (10 + self.step))
        for ours, theirs in zip(self.ema.parameters(), self.model.parameters(), strict=True):
            ours.to_local().lerp_(theirs.to_local(), 1 - decay)  # same sharding, so shard by shard

    def run(self, loss: MicroLoss, save_steps: int = 100) -> None:
        """Optimise to the end. ``loss(step, micro_batch)`` gives one micro-batch's loss; the seed is set before it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.resume() and self.rank == 0:
            print(f"{self.name}: resumed at step {self.step}", flush=True)
        while self.step < self.config.steps:
            rate = schedule(self.step / self.config.steps, self.step, self.config)
            for group in self.optimizer.param_groups:
                group["lr"] = rate * self.config.lr
            total = torch.zeros(())
            for micro in range(self.accumulate):
                self.model.set_requires_gradient_sync(micro == self.accumulate - 1)
                torch.manual_seed(step_seed(self.config.seed, self.step * self.parts + self.rank * self.accumulate + micro))
                value, _ = loss(self.step, self.micro_batch)
                (value / self.accumulate).backward()
                total += value.detach().float().cpu() / self.accumulate
            # Without a long context the compressed patches get no gradient; a checkpoint needs their optimizer state all the same.
            for parameter in self.trained:
                if parameter.grad is None:
                    parameter.grad = torch.zeros_like(parameter)
            norm = nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip).full_tensor()  # type: ignore[attr-defined]
            if not torch.isfinite(norm):
                raise FloatingPointError(f"{self.name}: the gradient is not finite at step {self.step}; lower lr in the config")
            self.optimizer.step()
            self.optimizer.zero_grad(set_to_none=True)
            self.step += 1
            self._follow()
            total = total.to(norm.device)
            dist.all_reduce(total)
            if self.rank == 0:
                row = {"step": self.step, "loss": float(total) / self.world, "grad_norm": float(norm), "rate": rate}
                with (self.folder / "log.jsonl").open("a") as out:
                    out.write(json.dumps(row) + "\n")
            if self.step % save_steps == 0 or self.step == self.config.steps:
                self.save()
        whole = get_model_state_dict(self.ema, options=StateDictOptions(full_state_dict=True, cpu_offload=True))
        if self.rank == 0:
            atomic_save(whole, self.folder / f"{self.name}.pt")
        dist.barrier()
