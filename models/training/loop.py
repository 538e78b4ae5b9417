"""What every training here shares: a sliding window over a pool, batches made aside, EMA, steps.

Training runs for a number of steps, resumes from its checkpoint and logs plain lines.
"""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from torch import nn

from models.training.pool import Capture, read_shard

Batch = TypeVar("Batch")


class Window:
    """The newest shards of a pool, at most ``keep`` in memory, one replaced now and then."""

    def __init__(self, folder: Path, keep: int, rng: np.random.Generator) -> None:
        self._folder, self._keep, self._rng = folder, keep, rng
        self._shards: dict[Path, list[Capture]] = {}
        self._refresh = 0
        self.turn()

    def turn(self) -> None:
        """Load shards not seen in this window; drop the oldest beyond ``keep``."""
        paths = [p for p in sorted(self._folder.glob("*.npz")) if ".part" not in p.name]
        fresh = [p for p in paths if p not in self._shards]
        wanted = max(1, self._keep - len(self._shards))
        for index in self._rng.permutation(len(fresh))[:wanted]:
            if len(self._shards) >= self._keep:
                self._shards.pop(next(iter(self._shards)))
            self._shards[fresh[index]] = read_shard(fresh[index])

    def pick(self) -> Capture:
        """One capture; every 15,000 picks a shard is exchanged."""
        self._refresh += 1
        if self._refresh % 15000 == 0:
            self.turn()
        shard = list(self._shards.values())[int(self._rng.integers(len(self._shards)))]
        return shard[int(self._rng.integers(len(shard)))]


def ahead(make: Callable[[], Batch], depth: int = 4) -> Iterator[Batch]:
    """What ``make`` returns, made in a thread up to ``depth`` batches ahead."""
    ready: queue.Queue[Batch | BaseException] = queue.Queue(depth)

    def work() -> None:
        try:
            while True:
                ready.put(make())
        except BaseException as error:
            ready.put(error)

    threading.Thread(target=work, daemon=True).start()
    while True:
        item = ready.get()
        if isinstance(item, BaseException):
            raise item
        yield item


@dataclass(frozen=True)
class Plan:
    """How a training runs."""

    steps: int
    batch: int
    rate: float
    checkpoint: Path
    seed: int = 0
    log_every: int = 100
    save_every: int = 500


def rate_at(step: int, steps: int, peak: float) -> float:
    """Linear warm-up over 3 %, then half a cosine to 1 % of ``peak``."""
    warm = max(1, int(steps * 0.03))
    if step < warm:
        return peak * (step + 1) / warm
    share = (step - warm) / max(1, steps - warm)
    return float(peak * (0.01 + 0.99 * 0.5 * (1 + np.cos(np.pi * min(1.0, share)))))


def train(
    net: nn.Module,
    batches: Iterator[Any],
    loss_of: Callable[[nn.Module, Any], tuple[torch.Tensor, dict[str, float]]],
    plan: Plan,
    *,
    say: Callable[[str], None],
    check: Callable[[nn.Module], str] | None = None,
) -> nn.Module:
    """Train ``net`` and return its moving average; resumes where the checkpoint ends."""
    net = net.to(memory_format=torch.channels_last)
    average = torch.optim.swa_utils.AveragedModel(
        net, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.998), use_buffers=True
    )
    optimiser = torch.optim.AdamW(net.parameters(), lr=plan.rate, weight_decay=0.01)
    start = 0
    if plan.checkpoint.exists():
        state = torch.load(plan.checkpoint, weights_only=True)
        net.load_state_dict(state["net"])
        average.load_state_dict(state["average"])
        if state["step"] < plan.steps and state["steps"] == plan.steps:
            optimiser.load_state_dict(state["optimiser"])
            start = state["step"]
    began, shown = time.monotonic(), {"loss": 0.0}
    for step in range(start, plan.steps):
        for group in optimiser.param_groups:
            group["lr"] = rate_at(step, plan.steps, plan.rate)
        net.train()
        loss, parts = loss_of(net, next(batches))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        average.update_parameters(net)
        for name, value in parts.items():
            shown[name] = 0.97 * shown.get(name, value) + 0.03 * value
        if (step + 1) % plan.log_every == 0:
            speed = (step + 1 - start) * plan.batch / (time.monotonic() - began)
            line = " ".join(f"{k} {v:.4f}" for k, v in shown.items())
            say(f"step {step + 1}/{plan.steps} {line} {speed:.0f}/s")
        if (step + 1) % plan.save_every == 0 or step + 1 == plan.steps:
            part = plan.checkpoint.with_suffix(".part")
            torch.save(
                {
                    "net": net.state_dict(),
                    "average": average.state_dict(),
                    "optimiser": optimiser.state_dict(),
                    "step": step + 1,
                    "steps": plan.steps,
                },
                part,
            )
            part.rename(plan.checkpoint)
            if check is not None:
                average.module.eval()
                say(f"step {step + 1} check: {check(average.module)}")
    average.module.eval()
    module: nn.Module = average.module
    return module
