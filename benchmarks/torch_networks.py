"""Our networks in PyTorch, as peers of `benchmarks.training` and `benchmarks.scoring`: the same layers and widths."""

import functools
import itertools

import torch
from torch import nn


class TorchPredictor(nn.Module):
    """Two LSTM layers of cuDNN or oneDNN, and a linear layer on the last state."""

    def __init__(self, n_features: int, hidden_size: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(n_features, hidden_size, num_layers=2, batch_first=True)
        self.output = nn.Linear(hidden_size, n_features)

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        """The frame after each window."""
        return self.output(self.lstm(windows)[0][:, -1])


class TorchAutoencoder(nn.Sequential):
    """The dense autoencoder, on concatenated frames."""

    def __init__(self, n_features: int) -> None:
        widths, layers = [n_features, 128, 128, 128, 128, 8, 128, 128, 128, 128], []
        for n_in, n_out in itertools.pairwise(widths):
            layers += [nn.Linear(n_in, n_out, bias=False), nn.BatchNorm1d(n_out, eps=1e-3, momentum=0.01), nn.ReLU()]
        super().__init__(*layers, nn.Linear(128, n_features))


class TorchSequenceAutoencoder(nn.Module):
    """The networks of `gru_ae` and `lstm_ae`."""

    def __init__(self, config, n_features: int) -> None:
        super().__init__()
        layer = nn.GRU if config.name == "gru_autoencoder" else nn.LSTM
        width = getattr(config, "bottleneck_size", config.hidden_size)
        stack = functools.partial(layer, hidden_size=config.hidden_size, num_layers=config.n_layers, batch_first=True)
        self.encoder, self.decoder = stack(input_size=n_features), stack(input_size=width)
        self.code = nn.Linear(config.hidden_size, width) if width != config.hidden_size else nn.Identity()
        self.output = nn.Linear(config.hidden_size, n_features)

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """The reconstruction."""
        code = self.code(self.encoder(frames)[0][:, -1])
        return self.output(self.decoder(code[:, None].expand(-1, frames.shape[1], -1))[0]).flip(1)


def step(model: nn.Module, optimizer: torch.optim.Optimizer, inputs: torch.Tensor, target: torch.Tensor):
    """A step of training on the mean squared error; gives the loss, not waited for."""
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(inputs), target)
    loss.backward()
    optimizer.step()
    return loss
