"""EfficientAT mn04 end to end on a CPU, from a waveform of 10 s to the embedding, beside PyTorch.

    python -m benchmarks.efficientat WEIGHTS

WEIGHTS is the published `.pt` or its arrays (`.npz`). The PyTorch side computes the same front end (`torch.stft`, a
product with the mel filters) and network (convolutions with batch normalisation at rest) from the same arrays.
"""

import sys

import jax
import jax.numpy as jnp
import numpy as np
import torch

from asd_jax.features import FrontEnd
from asd_jax.features.filterbank import mel_filterbank
from asd_jax.models.efficientat import BLOCKS, EfficientATConfig
from asd_jax.models.efficientat_weights import PUBLISHED, _places
from asd_jax.representations.efficientat import EfficientATEmbedding, embed
from benchmarks.harness import describe_machine, seconds

CONFIG = EfficientATConfig()
FRONT_END = FrontEnd.from_names("log_mel", preset="efficientat")


class Reference:
    """The network in PyTorch, layer by layer from the published arrays."""

    def __init__(self, weights: dict[str, np.ndarray]) -> None:
        self.w = {name: torch.tensor(of) for name, of in weights.items()}
        filters = mel_filterbank(
            sample_rate=32_000, n_fft=1024, n_mels=128, fmax=15_000.0, htk=True, norm=None, triangles="mel"
        )
        self.filters, self.window = torch.tensor(filters), torch.hann_window(800, periodic=False)

    def front_end(self, waveforms):
        x = waveforms[:, 1:] - 0.97 * waveforms[:, :-1]
        spectrum = torch.stft(x, 1024, 320, 800, self.window, center=True, return_complex=True)
        mel = torch.matmul(spectrum.abs().square().transpose(1, 2), self.filters)
        return ((mel + 1e-5).log() + 4.5) / 5

    def _norm(self, x, name):
        parts = [self.w[f"{name}.1.{part}"] for part in ("running_mean", "running_var", "weight", "bias")]
        return torch.nn.functional.batch_norm(x, *parts, eps=1e-3)

    def _conv(self, x, name, **options):
        return self._norm(torch.nn.functional.conv2d(x, self.w[f"{name}.0.weight"], **options), name)

    def _linear(self, x, name):
        return torch.nn.functional.linear(x, self.w[f"{name}.weight"], self.w[f"{name}.bias"])

    def __call__(self, waveforms):
        functional = torch.nn.functional
        x = self.front_end(waveforms).transpose(1, 2)[:, None]
        x = functional.hardswish(self._conv(x, "features.0", stride=2, padding=1))
        for number, block in enumerate(BLOCKS):
            act = functional.hardswish if block.hard_swish else functional.relu
            places, skip = _places(number, CONFIG), x
            if "expand" in places:
                x = act(self._conv(x, places["expand"]))
            options = {"stride": block.stride, "padding": block.kernel // 2, "groups": x.shape[1]}
            x = act(self._conv(x, places["depthwise"], **options))
            if "squeeze" in places:
                name = f"{places['squeeze']}.conc_se_layers.0"
                inner = functional.relu(self._linear(x.mean(dim=(2, 3)), f"{name}.fc1"))
                x = x * torch.sigmoid(self._linear(inner, f"{name}.fc2"))[:, :, None, None]
            x = self._conv(x, places["project"])
            x = x + skip if block.stride == 1 and x.shape == skip.shape else x
        return functional.hardswish(self._conv(x, f"features.{len(BLOCKS) + 1}")).mean(dim=(2, 3))


def main() -> None:
    weights, _ = PUBLISHED.load(sys.argv[1])
    params, reference = EfficientATEmbedding.load(sys.argv[1]).params, Reference(weights)
    for n_clips in (1, 4):
        waveforms = np.random.default_rng(0).standard_normal((n_clips, 320_000)).astype(np.float32) * 0.1
        ours, front_end = jax.jit(lambda x: embed(params, FRONT_END(x))), jax.jit(FRONT_END)
        array, tensor = jnp.asarray(waveforms), torch.tensor(waveforms)
        with torch.inference_mode():
            worst = np.abs(np.asarray(ours(array)) - reference(tensor).numpy()).max()
            parts = {
                "ours": lambda ours=ours, array=array: ours(array),
                "torch": lambda tensor=tensor: reference(tensor),
                "ours, front end": lambda array=array, front_end=front_end: front_end(array),
                "torch, front end": lambda tensor=tensor: reference.front_end(tensor),
            }
            found = seconds(parts, repeats=15)
        times = ", ".join(f"{name} {1e3 * of:.1f} ms" for name, of in found.items())
        pace = found["torch"] / found["ours"]
        print(f"{n_clips} clip(s) of 10 s: {times}; {pace:.2f} x PyTorch's pace, embeddings differ by {worst:.1e}")


if __name__ == "__main__":
    describe_machine("torch", force="--force" in sys.argv)
    main()
