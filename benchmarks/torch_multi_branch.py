"""The multi-branch network in PyTorch, as a peer for `benchmarks.training`: the same layers on the same waveforms."""

import math
from collections.abc import Sequence

import torch
from torch import nn

_STAGES = (16, 32, 64, 128)


def batch_norm(n_features: int, dims: int) -> nn.Module:
    """Batch normalisation without scale and shift."""
    return (nn.BatchNorm1d, nn.BatchNorm1d, nn.BatchNorm2d)[dims](n_features, affine=False)


class SqueezeExcitation(nn.Module):
    """Channels weighted by their means over all positions."""

    def __init__(self, n_channels: int) -> None:
        super().__init__()
        narrow = max(1, n_channels // 16)
        self.layers = nn.Sequential(
            nn.Linear(n_channels, narrow, bias=False),
            nn.ReLU(),
            nn.Linear(narrow, n_channels, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """The weighted channels."""
        weight = self.layers(values.flatten(2).mean(dim=2))
        return values * weight.reshape(*weight.shape, *[1] * (values.ndim - 2))


class SpectrumBranch(nn.Module):
    """See `asd_jax.models.spectrum_branch`."""

    def __init__(self, n_samples: int, width: int) -> None:
        super().__init__()
        layers, length = [], n_samples // 2 + 1
        for n_inputs, (kernel, stride) in zip((1, width, width), ((256, 64), (64, 32), (16, 4)), strict=True):
            layers += [nn.Conv1d(n_inputs, width, kernel, stride, bias=False), nn.ReLU(), SqueezeExcitation(width)]
            length = (length - kernel) // stride + 1
        layers.append(nn.Flatten())
        for n_inputs in (length * width, *[width] * 4):
            layers += [nn.Linear(n_inputs, width, bias=False), batch_norm(width, 0), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Linear(width, width, bias=False))

    def forward(self, waveforms: torch.Tensor) -> torch.Tensor:
        """The branch's part of the embedding."""
        return self.layers(torch.fft.rfft(waveforms).abs()[:, None])


class ResidualBlock(nn.Module):
    """See `asd_jax.models.spectrogram_branch`."""

    def __init__(self, n_inputs: int, n_outputs: int, stride: int) -> None:
        super().__init__()
        self.norm = batch_norm(n_inputs, 2)
        self.residual = nn.Sequential(
            nn.ReLU(),
            nn.Conv2d(n_inputs, n_outputs, 3, stride, 1, bias=False),
            batch_norm(n_outputs, 2),
            nn.ReLU(),
            nn.Conv2d(n_outputs, n_outputs, 3, 1, 1, bias=False),
            SqueezeExcitation(n_outputs),
        )
        self.skip = nn.Identity()
        if stride > 1:
            self.skip = nn.Sequential(nn.MaxPool2d(3, 2, 1), nn.Conv2d(n_inputs, n_outputs, 1, bias=False))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """The block's output."""
        image = self.norm(image)
        return self.residual(image) + self.skip(image)


class SpectrogramBranch(nn.Module):
    """See `asd_jax.models.spectrogram_branch`."""

    def __init__(self, n_fft: int, width: int, n_samples: int) -> None:
        super().__init__()
        self.n_fft = n_fft
        hertz = torch.linspace(0, 8000, n_fft // 2 + 1)
        self.bins = slice(int((hertz < 200).sum()), int((hertz <= 8000).sum()))
        window = torch.hann_window(n_fft)
        self.register_buffer("window", window / math.sqrt(float(window.square().sum())))
        n_bins = self.bins.stop - self.bins.start
        self.norm = batch_norm(n_bins, 1)
        layers = [nn.Conv2d(1, 16, 7, 2, bias=False), batch_norm(16, 2), nn.ReLU(), nn.MaxPool2d(3, 2)]
        n_inputs = 16
        for stage, channels in enumerate(_STAGES):
            for block in range(2):
                layers.append(ResidualBlock(n_inputs, channels, 2 if stage and not block else 1))
                n_inputs = channels
        self.layers = nn.Sequential(*layers)
        with torch.no_grad():
            self.layers.eval()
            flat = self.layers(torch.zeros(1, 1, n_bins, 64)).amax(dim=3).numel()
            self.layers.train()
        self.output = nn.Sequential(nn.Flatten(), batch_norm(flat, 0), nn.Linear(flat, width, bias=False))

    def forward(self, waveforms: torch.Tensor) -> torch.Tensor:
        """The branch's part of the embedding."""
        options = {"window": self.window, "center": True, "pad_mode": "constant", "return_complex": True}
        spectrogram = torch.stft(waveforms, self.n_fft, self.n_fft // 2, **options).abs()[:, self.bins]
        return self.output(self.layers(self.norm(spectrogram)[:, None]).amax(dim=3))


class MultiBranch(nn.Module):
    """See `asd_jax.models.multi_branch`."""

    def __init__(self, branches: Sequence[str], width: int, n_samples: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            SpectrumBranch(n_samples, width) if name == "spectrum" else SpectrogramBranch(int(name), width, n_samples)
            for name in branches
        )

    def forward(self, waveforms: torch.Tensor) -> torch.Tensor:
        """The branches' outputs side by side."""
        return torch.cat([branch(waveforms) for branch in self.branches], dim=1)


class TorchSubClusterAdaCos(nn.Module):
    """Sub-cluster AdaCos with its fixed scale, on top of an embedding network."""

    def __init__(self, network: nn.Module, size: int, n_classes: int, n_centres: int) -> None:
        super().__init__()
        self.network, self.n_centres = network, n_centres
        self.centres = nn.Parameter(nn.init.xavier_uniform_(torch.empty(size, n_classes * n_centres)))
        self.scale = math.sqrt(2) * math.log(n_classes * n_centres - 1)

    def forward(self, waveforms: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """The loss."""
        embedding = nn.functional.normalize(self.network(waveforms), dim=1)
        logits = self.scale * embedding @ nn.functional.normalize(self.centres, dim=0)
        share = torch.softmax(logits, dim=1).reshape(len(labels), -1, self.n_centres).sum(dim=2)
        return -(labels * share.log()).sum(dim=1).mean()


def mixed(waveforms: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mixup of half of the clips, with weights drawn evenly."""
    chosen = torch.rand(len(waveforms), 1, device=waveforms.device) < 0.5
    weight = torch.where(chosen, torch.rand(len(waveforms), 1, device=waveforms.device), 1.0)
    other = torch.randperm(len(waveforms), device=waveforms.device)
    return weight * waveforms + (1 - weight) * waveforms[other], weight * labels + (1 - weight) * labels[other]
