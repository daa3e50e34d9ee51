"""Training beside PyTorch, same shapes, batches and cores: `python -m benchmarks.training`.

`lstm`: windows a second of the LSTM predictor (2 × 256, 10 steps of 128, 760 windows a batch, cut from clips), forward,
backward and Adam. PyTorch takes torch.nn.LSTM on the unfolded windows. `dense`: epochs a second of the dense
autoencoder (100 steps of 512 windows); PyTorch with its DataLoader, and with a loop over preloaded tensors.
`sequence`: steps a second of the GRU and LSTM autoencoders (64 windows a batch), and of the same networks in PyTorch.
`multi_branch`: steps a second of the default and of the published embedding network, cutting, mixing, transforms,
sub-cluster AdaCos and AdamW included, and of the same in PyTorch (64 and 32 clips of 6.4 s).

Run it on an idle machine and leave OMP_WAIT_POLICY alone: told to be passive, PyTorch takes up to three times as long.
Where others keep the cores busy its waiting threads spin and slow it many times over.
"""

import argparse
import functools
import itertools
import math
import time

import jax
import numpy as np
import torch

from asd_jax.features.scaling import Scaling
from asd_jax.features.stored_clips import StoredClips
from asd_jax.models import (
    DenseAutoencoderConfig,
    GRUAutoencoderConfig,
    LSTMAutoencoderConfig,
    LSTMPredictorConfig,
    MultiBranchConfig,
)
from asd_jax.models.network import Network
from asd_jax.training import Reconstruction, TrainingConfig
from asd_jax.training.clip_examples import clip_source, whole_clips
from asd_jax.training.examples import InMemory
from asd_jax.training.loop import train_steps
from asd_jax.training.objectives import SubClusterAdaCos
from asd_jax.training.state import init_train_state
from benchmarks import harness
from benchmarks.torch_multi_branch import MultiBranch as TorchMultiBranch

N_MELS, CONTEXT, HIDDEN = 128, 10, 256
SEGMENTS, SEGMENT_FRAMES = 20, 48  # 38 windows each: 760
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
RAW = Scaling(np.zeros(N_MELS, np.float32), np.ones(N_MELS, np.float32))


def clips(n_clips: int, n_frames: int) -> StoredClips:
    rng = np.random.default_rng(0)
    return StoredClips.from_clips([rng.standard_normal((n_frames, N_MELS)).astype(np.float32) for _ in range(n_clips)])


class Ours:
    """A model in training; a call does the given steps and returns the last loss."""

    def __init__(self, config, data: StoredClips, batch_size: int) -> None:
        self.network = Network(config, N_MELS)
        self.training = TrainingConfig(epochs=1, batch_size=batch_size, schedule="constant")
        self.examples = InMemory.of(
            data, np.arange(len(data)), np.zeros(0, int), length=config.segment_frames, hop=config.segment_hop,
            config=self.training, scaling=RAW,
        )  # fmt: skip
        self.state = init_train_state(self.network, self.training, 1, key=jax.random.key(0))

    def run(self, n_steps: int, steps_per_call: int) -> jax.Array:
        calls = self.examples.calls(seed=0, epoch=0, steps_per_call=steps_per_call)
        for picks, active in itertools.islice(calls, n_steps // steps_per_call):
            self.state, losses = train_steps(
                self.network, Reconstruction(), self.training, self.examples.length, 1,
                self.state, self.examples.source, picks, active,
            )  # fmt: skip
        return losses


class TorchPredictor(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = torch.nn.LSTM(N_MELS, HIDDEN, num_layers=2, batch_first=True)
        self.output = torch.nn.Linear(HIDDEN, N_MELS)

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        return self.output(self.lstm(windows)[0][:, -1])


class TorchAutoencoder(torch.nn.Sequential):
    def __init__(self) -> None:
        widths, layers = [5 * N_MELS, 128, 128, 128, 128, 8, 128, 128, 128, 128], []
        for n_in, n_out in itertools.pairwise(widths):
            layers += [torch.nn.Linear(n_in, n_out), torch.nn.BatchNorm1d(n_out, eps=1e-3, momentum=0.01)]
            layers.append(torch.nn.ReLU())
        super().__init__(*layers, torch.nn.Linear(128, 5 * N_MELS))


def torch_step(model, optimizer, inputs, target) -> torch.Tensor:
    optimizer.zero_grad()
    loss = torch.nn.functional.mse_loss(model(inputs), target)
    loss.backward()
    optimizer.step()
    return loss


def wait(value: torch.Tensor) -> float:
    return value.item()


def lstm(n_steps: int, repeats: int) -> None:
    data = clips(64, 313)
    config = LSTMPredictorConfig(
        hidden_size=HIDDEN, context_frames=CONTEXT, segment_frames=SEGMENT_FRAMES, segment_hop=SEGMENT_FRAMES - CONTEXT
    )
    start = time.perf_counter()
    ours = Ours(config, data, SEGMENTS)
    jax.block_until_ready(ours.run(n_steps, n_steps))
    print(f"lstm: time to first step {time.perf_counter() - start:.1f} s")
    model = TorchPredictor().to(DEVICE)
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    frames = torch.tensor(data.values, device=DEVICE)
    offsets = torch.arange(SEGMENT_FRAMES, device=DEVICE)
    starts = torch.tensor(ours.examples.train.starts, device=DEVICE)

    def peer() -> float:
        for step in range(n_steps):
            chosen = starts[step * SEGMENTS : (step + 1) * SEGMENTS]
            segments = frames[chosen[:, None] + offsets]
            windows = segments[:, :-1].unfold(1, CONTEXT, 1).transpose(2, 3).reshape(-1, CONTEXT, N_MELS)
            loss = torch_step(model, optimizer, windows, segments[:, CONTEXT:].reshape(-1, N_MELS))
        return wait(loss)

    times = harness.seconds({"asd_jax": lambda: ours.run(n_steps, n_steps), "torch.nn.LSTM": peer}, repeats=repeats)
    windows = n_steps * SEGMENTS * (SEGMENT_FRAMES - CONTEXT)
    table("windows a second", {name: windows / value for name, value in times.items()})


def dense(repeats: int) -> None:
    data = clips(256, 204)  # 200 windows each: 100 steps of 512
    start = time.perf_counter()
    ours = Ours(DenseAutoencoderConfig(), data, 512)
    jax.block_until_ready(ours.run(50, 50))
    print(f"dense: time to first step {time.perf_counter() - start:.1f} s")
    rows = ours.examples.train.starts[:, None] + np.arange(5)
    vectors = torch.tensor(data.values[rows].reshape(len(rows), -1))
    models = [TorchAutoencoder().to(DEVICE) for _ in range(2)]
    optimizers = [torch.optim.Adam(model.parameters(), 1e-3) for model in models]
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(vectors), batch_size=512, shuffle=True, drop_last=True
    )
    preloaded = vectors.to(DEVICE)

    def with_loader() -> float:
        for (batch,) in loader:
            batch = batch.to(DEVICE)
            loss = torch_step(models[0], optimizers[0], batch, batch)
        return wait(loss)

    def with_tensors() -> float:
        for chosen in torch.randperm(len(preloaded), device=DEVICE).split(512):
            batch = preloaded[chosen]
            loss = torch_step(models[1], optimizers[1], batch, batch)
        return wait(loss)

    candidates = {
        "asd_jax": functools.partial(ours.run, 100, 50),
        "torch, DataLoader": with_loader,
        "torch, tensors": with_tensors,
    }
    times = harness.seconds(candidates, repeats=repeats)
    table("epochs a second", {name: 1 / value for name, value in times.items()})


class TorchSequenceAutoencoder(torch.nn.Module):
    """The networks of `gru_ae` and `lstm_ae`."""

    def __init__(self, config) -> None:
        super().__init__()
        layer = torch.nn.GRU if config.name == "gru_autoencoder" else torch.nn.LSTM
        width = getattr(config, "bottleneck_size", config.hidden_size)
        stack = functools.partial(layer, hidden_size=config.hidden_size, num_layers=config.n_layers, batch_first=True)
        self.encoder, self.decoder = stack(input_size=N_MELS), stack(input_size=width)
        self.code = torch.nn.Linear(config.hidden_size, width) if width != config.hidden_size else torch.nn.Identity()
        self.output = torch.nn.Linear(config.hidden_size, N_MELS)

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        code = self.code(self.encoder(frames)[0][:, -1])
        return self.output(self.decoder(code[:, None].expand(-1, frames.shape[1], -1))[0]).flip(1)


def sequence(repeats: int) -> None:
    data, n_steps = clips(64, 313), 4
    for config in (GRUAutoencoderConfig(), LSTMAutoencoderConfig()):
        ours = Ours(config, data, 64)
        jax.block_until_ready(ours.run(n_steps, n_steps))
        model = TorchSequenceAutoencoder(config).to(DEVICE)
        optimizer = torch.optim.Adam(model.parameters(), 1e-3)
        frames = torch.tensor(data.values, device=DEVICE)
        rows = torch.tensor(ours.examples.train.starts, device=DEVICE)[:, None] + torch.arange(config.window_frames)

        def peer(model=model, optimizer=optimizer, frames=frames, rows=rows) -> float:
            for step in range(n_steps):
                batch = frames[rows[step * 64 : (step + 1) * 64]]
                loss = torch_step(model, optimizer, batch, batch)
            return wait(loss)

        candidates = {"asd_jax": functools.partial(ours.run, n_steps, n_steps), "torch": peer}
        times = harness.seconds(candidates, repeats=repeats)
        table(f"steps of {config.name} a second", {name: n_steps / value for name, value in times.items()})


class TorchSubClusterAdaCos(torch.nn.Module):
    """Sub-cluster AdaCos with its fixed scale, on top of an embedding network."""

    def __init__(self, network: torch.nn.Module, size: int, n_classes: int, n_centres: int) -> None:
        super().__init__()
        self.network, self.n_centres = network, n_centres
        self.centres = torch.nn.Parameter(torch.nn.init.xavier_uniform_(torch.empty(size, n_classes * n_centres)))
        self.scale = math.sqrt(2) * math.log(n_classes * n_centres - 1)

    def forward(self, waveforms: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        embedding = torch.nn.functional.normalize(self.network(waveforms), dim=1)
        logits = self.scale * embedding @ torch.nn.functional.normalize(self.centres, dim=0)
        share = torch.softmax(logits, dim=1).reshape(len(labels), -1, self.n_centres).sum(dim=2)
        return -(labels * share.log()).sum(dim=1).mean()


def mixed(waveforms: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    chosen = torch.rand(len(waveforms), 1, device=DEVICE) < 0.5
    weight = torch.where(chosen, torch.rand(len(waveforms), 1, device=DEVICE), 1.0)
    other = torch.randperm(len(waveforms), device=DEVICE)
    return weight * waveforms + (1 - weight) * waveforms[other], weight * labels + (1 - weight) * labels[other]


def multi_branch(repeats: int) -> None:
    n_samples, n_classes = 101_920, 4
    rng = np.random.default_rng(0)
    waveforms = rng.integers(-3_000, 3_000, (64, n_samples)).astype(np.int16)
    targets = np.arange(64) % n_classes
    published = MultiBranchConfig()
    for name, config, batch_size in (
        ("default", MultiBranchConfig(branches=("spectrum", "1024")), 64),
        ("published", published, 32),
    ):
        training = TrainingConfig(batch_size=batch_size, schedule="constant", weight_decay=0.01)
        objective = SubClusterAdaCos()
        learner = objective.learner(Network(config, n_samples), targets)
        examples = whole_clips(
            clip_source(StoredClips.from_clips(list(waveforms))), np.arange(64), np.zeros(0, int),
            length=n_samples, config=training, targets=targets,
        )  # fmt: skip
        state = [init_train_state(learner, training, 1, key=jax.random.key(0))]

        def ours(state=state, learner=learner, examples=examples, training=training, objective=objective) -> jax.Array:
            picks, active = next(examples.calls(seed=0, epoch=0, steps_per_call=1))
            state[0], losses = train_steps(
                learner, objective, training, n_samples, 1, state[0], examples.source, picks, active
            )
            return losses

        network = TorchMultiBranch(config.branches, config.width, n_samples)
        model = TorchSubClusterAdaCos(network, config.embedding_size, n_classes, objective.n_centres).to(DEVICE)
        counted = jax.eval_shape(lambda learner=learner: learner.init(key=jax.random.key(0))[0])
        assert sum(p.numel() for p in model.parameters()) == sum(leaf.size for leaf in jax.tree.leaves(counted))
        optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
        stored = torch.tensor(waveforms, device=DEVICE)
        classes = torch.nn.functional.one_hot(torch.tensor(targets, device=DEVICE), n_classes).float()

        def peer(model=model, optimizer=optimizer, stored=stored, classes=classes, batch_size=batch_size) -> float:
            chosen = torch.randperm(len(stored), device=DEVICE)[:batch_size]
            optimizer.zero_grad()
            loss = model(*mixed(stored[chosen].float() / 2**15, classes[chosen]))
            loss.backward()
            optimizer.step()
            return wait(loss)

        times = harness.seconds({"asd_jax": ours, "torch": peer}, repeats=repeats)
        table(f"steps of multi_branch, {name}, a second", {of: 1 / value for of, value in times.items()})


def table(unit: str, rates: dict[str, float]) -> None:
    ours = rates["asd_jax"]
    for name, rate in rates.items():
        print(f"{name:20} {rate:10.4g} {unit}   ours / this {ours / rate:5.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--force", action="store_true", help="measure on a busy machine too")
    parser.add_argument("--only", choices=["lstm", "dense", "sequence", "multi_branch"], help="one of the tables")
    parser.add_argument("--repeats", type=int, default=9)
    arguments = parser.parse_args()
    harness.describe_machine("torch", "flax", "optax", force=arguments.force)
    print(f"torch     {torch.get_num_threads()} threads on {DEVICE}")
    if arguments.only in (None, "lstm"):
        lstm(2 if DEVICE == "cpu" else 20, arguments.repeats)
    if arguments.only in (None, "dense"):
        dense(arguments.repeats)
    if arguments.only in (None, "sequence"):
        sequence(arguments.repeats)
    if arguments.only in (None, "multi_branch"):
        multi_branch(arguments.repeats)


if __name__ == "__main__":
    main()
