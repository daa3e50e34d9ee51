"""How training went: losses and learning rate over epochs."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from asd_jax.report.plots import style


@style.styled
def training_curves(
    train_loss: Sequence[Float[np.ndarray, " _"]],
    validation_loss: Sequence[Float[np.ndarray, " _"]],
    learning_rate: Sequence[Float[np.ndarray, " _"]],
) -> Figure:
    """Training and validation loss of each epoch above, the learning rate below; a thin line for each network.

    Args:
        train_loss: of each network, an entry an epoch: the mean of what is minimised.
        validation_loss: likewise, NaN without validation clips.
        learning_rate: at the start of each epoch.
    """
    figure = style.new_figure(4.2)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    marker = {"marker": "o", "ms": 3} if max(map(len, train_loss)) <= 30 else {}
    for number, losses in enumerate(train_loss):
        epochs, first = np.arange(1, len(losses) + 1), number == 0
        above.plot(epochs, losses, color=style.NORMAL, lw=1.5, label="training" if first else None, **marker)
        if np.isfinite(validation_loss[number]).any():
            label = "validation" if first else None
            above.plot(epochs, validation_loss[number], "--", color=style.ANOMALOUS, lw=1.5, label=label, **marker)
        below.plot(epochs, learning_rate[number], color="#444444", lw=1.5, **marker)
    above.set_ylabel("loss")
    above.set_ylim(bottom=0)
    above.grid(axis="y", alpha=0.3)
    above.legend(loc="best")
    below.set(ylabel="learning\nrate", xlabel="epoch")
    below.ticklabel_format(axis="y", style="sci", scilimits=(-2, 2))
    below.set_ylim(bottom=0)
    below.xaxis.set_major_locator(MaxNLocator(integer=True))
    style.title(figure, _finding(train_loss, validation_loss))
    return figure


def _finding(train_loss: Sequence[np.ndarray], validation_loss: Sequence[np.ndarray]) -> str:
    """What the curves show, of the first network."""
    of = "" if len(train_loss) == 1 else f" (first of {len(train_loss)} networks)"
    losses, validation = train_loss[0], validation_loss[0]
    if len(losses) == 1:
        return f"One epoch: training loss {losses[0]:.3g}{of}"
    if not np.isfinite(validation).any():
        return f"Training loss went from {losses[0]:.3g} to {losses[-1]:.3g} in {len(losses)} epochs{of}"
    text = f"Validation loss went from {validation[0]:.3g} to {validation[-1]:.3g} in {len(losses)} epochs{of}"
    best = int(np.nanargmin(validation)) + 1
    if best < len(losses):
        return f"{text}, lowest at epoch {best}"
    return text
