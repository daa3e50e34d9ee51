"""Everything that a GPU is measured for, in one call of under eight minutes: `python -m benchmarks.gpu [--out FILE]`.

Training of the recurrent, dense and embedding networks beside PyTorch with cuDNN on the same card, with our share of
its peak, which is what a large float32 product reaches; eight networks in one program against one; ten epochs of
`lstm_pred` and one of `multi_branch` on 2,370 clips of 10 s of noise; log-mels beside torch.stft. Ends with Markdown
tables that name the card. `--tiny` takes a few small steps of each, on a CPU: whether it still runs.
"""

import argparse
import dataclasses
import os
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import torch

from asd_jax import features
from asd_jax.models import DenseAutoencoderConfig, LSTMPredictorConfig, MultiBranchConfig
from asd_jax.training.loop import train_step
from asd_jax.training.state import make_optimizer
from benchmarks import harness
from benchmarks.features import torch_log_mel, waveforms
from benchmarks.harness import Measured
from benchmarks.training import DEVICE, PEER, TABLES, Ours, OursOfWaveforms, Size, clips

MEMBERS = 8


@dataclasses.dataclass(frozen=True)
class Amount:
    """How much of everything; the defaults are for a GPU."""

    training: Size = Size(n_steps=20, dense_steps=100, embedding_steps=10)
    product: int = 8192
    clips: int = 2_370
    seconds: float = 10.0
    members_steps: int = 50
    epochs: int = 10
    mel_clips: int = 192
    repeats: int = 7


TINY = Amount(
    Size(n_steps=1, n_clips=4, segments=2, hidden=16, windows=4, dense_steps=1, embedding={"default": 4}, seconds=5.0),
    product=256, clips=8, seconds=5.0, members_steps=1, epochs=1, mel_clips=6, repeats=1,
)  # fmt: skip


def members(config, batch_size: int, amount: Amount) -> Measured:
    """Steps of one network, and of eight side by side under `jax.vmap`, each with the same batches."""
    frames = max(200, config.segment_frames)
    ours = Ours(
        config, clips(-(-amount.members_steps * batch_size * config.segment_hop // frames) + 8, frames), batch_size
    )
    optimizer, _ = make_optimizer(ours.training, 1)
    picks, _ = next(iter(ours.examples.calls(seed=0, epoch=0, steps_per_call=amount.members_steps)))

    leaves, tree = jax.tree.flatten(ours.state)  # leaves alone, since a state of several members is none

    def one(leaves, of_step):
        batch = ours.examples.source.batch(of_step, ours.examples.length)
        state, loss = train_step(ours.learner, ours.objective, optimizer, tree.unflatten(leaves), batch)
        return jax.tree.leaves(state), loss

    alone = jax.jit(lambda leaves: jax.lax.scan(one, leaves, picks)[1])
    together = jax.jit(lambda leaves: jax.lax.scan(jax.vmap(one, in_axes=(0, None)), leaves, picks)[1])
    stacked = [jnp.stack([leaf] * MEMBERS) for leaf in leaves]
    candidates = {"one": lambda: alone(leaves), f"{MEMBERS} in one program": lambda: together(stacked)}
    taken = harness.times(candidates, repeats=amount.repeats)
    return Measured(f"steps of the {config.name.replace('_', ' ')}", "steps", amount.members_steps, taken).show()


def whole(amount: Amount) -> dict[str, tuple[float, float]]:
    """Seconds of training on a whole machine by name: with compiling, and without."""
    n_frames = features.FrontEnd().n_frames(int(16_000 * amount.seconds))
    rng = np.random.default_rng(0)
    ours = Ours(LSTMPredictorConfig(), clips(amount.clips, n_frames), 32)
    found = {f"lstm_pred, {amount.epochs} epochs": _timed(lambda: _epochs(ours, 50, amount.epochs))}
    noise = rng.integers(-3_000, 3_000, (amount.clips, int(16_000 * amount.seconds)), np.int16)
    network = OursOfWaveforms(
        MultiBranchConfig(branches=("spectrum", "1024")), noise, np.arange(amount.clips) % 4, min(32, amount.clips // 4)
    )
    return found | {"multi_branch, 1 epoch": _timed(lambda: _epochs(network, 1, 1))}


def _epochs(ours: Ours, steps_per_call: int, n_epochs: int) -> jax.Array:
    n_steps = ours.examples.steps_per_epoch
    per_call = min(steps_per_call, n_steps)
    for _ in range(n_epochs):
        losses = ours.run(n_steps // per_call * per_call, per_call)
    return losses


def _timed(run) -> tuple[float, float]:
    seconds = []
    for _ in range(2):
        start = time.perf_counter()
        jax.block_until_ready(run())
        seconds.append(time.perf_counter() - start)
    return seconds[0], seconds[1]


def log_mels(amount: Amount) -> Measured:
    """Of clips that are on the device already."""
    clips_of = waveforms(amount.mel_clips)
    here, front_end = jnp.asarray(clips_of), jax.jit(features.FrontEnd())
    taken = harness.times(
        {
            "asd_jax": lambda: [front_end(here[at : at + 6]) for at in range(0, len(here), 6)],
            "torch float64": torch_log_mel(clips_of, "float64", device=DEVICE),
            "torch float32": torch_log_mel(clips_of, "float32", device=DEVICE),
        },
        repeats=amount.repeats,
    )
    return Measured("log-mels", "clips", amount.mel_clips, taken).show()


def table(amount: Amount) -> str:
    """The table of everything."""
    card = torch.cuda.get_device_name() if DEVICE == "cuda" else f"{harness.processor()}, no GPU"
    peak = harness.peak_gflops(amount.product, repeats=amount.repeats)
    compared = [of for measure in TABLES.values() for of in measure(amount.repeats, amount.training)]
    compared.append(log_mels(amount))
    lines = [
        f"{card}; a product of {amount.product} × {amount.product} in float32 does {peak:,.0f} Gflop/s",
        "",
        "| | ours | PyTorch | ratio (middle 80 %) | share of the peak |",
        "|---|---|---|---|---|",
    ]
    for of in compared:
        ours = of.rates["asd_jax"]
        share = f"{of.gflops / peak:.1%}" if of.gflop else ""
        for peer, ratio in of.ratios.items():
            name = of.name + peer.removeprefix(PEER)
            lines.append(f"| {name}, {of.unit} a second | {ours:,.0f} | {of.rates[peer]:,.0f} | {ratio} | {share} |")
    lines += ["", f"| | one | {MEMBERS} side by side | {MEMBERS} to one, seconds |", "|---|---|---|---|"]
    for config, batch_size in ((DenseAutoencoderConfig(), 512), (LSTMPredictorConfig(), 32)):
        of = members(config, min(batch_size, amount.training.windows * 8), amount)
        (_, one), (_, many) = of.rates.items()
        (ratio,) = of.ratios.values()
        lines.append(f"| {of.name} a second | {one:,.0f} | {many:,.0f} | {ratio} |")
    lines += ["", f"| {amount.clips:,} clips of {amount.seconds:g} s | s, with compiling | s, again |", "|---|---|---|"]
    lines += [f"| {name} | {first:.1f} | {again:.1f} |" for name, (first, again) in whole(amount).items()]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--force", action="store_true", help="measure on a busy machine too")
    parser.add_argument("--tiny", action="store_true", help="a few small steps of each, whose figures say nothing")
    parser.add_argument("--out", type=Path, help="Markdown file to write; by default the table is only printed")
    arguments = parser.parse_args()
    os.environ.setdefault("XLA_PYTHON_CLIENT_MEM_FRACTION", "0.5")  # the rest of the card's memory is PyTorch's
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True  # as JAX does unless told otherwise
    harness.describe_machine("torch", "flax", force=arguments.force or arguments.tiny)
    if jax.default_backend() == "cpu" and not arguments.tiny:
        parser.error("JAX sees no GPU here; --tiny runs a few small steps on the CPU")
    text = table(TINY if arguments.tiny else Amount())
    print(f"\n{text}")
    if arguments.out:
        arguments.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
