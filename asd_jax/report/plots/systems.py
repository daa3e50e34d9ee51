"""Systems side by side: a bar each, a panel a machine type."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from asd_jax.report.plots import style


@style.styled
def systems(
    values: Mapping[str, Mapping[str, tuple[float, tuple[float, float] | None]]],
    *,
    controls: Mapping[str, Mapping[str, float]] | None = None,
) -> Figure:
    """Mean AUC of each system with its interval, a panel a machine type, best first; controls as lines.

    Args:
        values: AUC and its 95 % interval, by machine type and system.
        controls: AUC of the controls, by machine type and name.
    """
    controls = controls or {}
    height = 1.3 + sum(0.5 + 0.27 * len(of) for of in values.values())
    figure = style.new_figure(height)
    ratios = [0.5 + 0.27 * len(of) for of in values.values()]
    panels = figure.subplots(len(values), 1, squeeze=False, sharex=True, height_ratios=ratios)[:, 0]
    smallest = 0.5
    for axes, (machine, of) in zip(panels, values.items(), strict=True):
        names = sorted(of, key=lambda name: -of[name][0])
        aucs = np.asarray([of[name][0] for name in names])
        axes.barh(range(len(names)), aucs - 0.5, 0.75, left=0.5, color=style.NORMAL, alpha=0.8)
        for row, name in enumerate(names):
            auc, interval = of[name]
            if interval is not None:
                span = np.clip([[auc - interval[0]], [interval[1] - auc]], 0, None)
                axes.errorbar([auc], [row], xerr=span, fmt="none", ecolor="black", capsize=2.5, lw=1.1)
                smallest = min(smallest, interval[0])
        smallest = min(smallest, aucs.min())
        for number, (name, auc) in enumerate(controls.get(machine, {}).items()):
            label = f"control: {style.plain(name)}"
            axes.axvline(auc, color=style.ANOMALOUS, ls=style.DASHES[1 + number % 3], lw=1.4, label=label)
        axes.axvline(0.5, color="black", lw=1)
        axes.set_yticks(range(len(names)), [style.plain(name) for name in names])
        axes.invert_yaxis()
        axes.set_title(style.plain(machine))
    panels[-1].set_xlabel("AUC (mean over ids, 95 % interval); 0.5 is chance")
    panels[-1].set_xlim(smallest - 0.02, 1.005)
    handles, labels = panels[0].get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc="outside lower left")
    best = [max(of, key=lambda name: of[name][0]) for of in values.values()]
    found = ", ".join(
        f"{name} on {machine} ({values[machine][name][0]:.3f})" for machine, name in zip(values, best, strict=True)
    )
    style.title(figure, f"Highest AUC: {found}")
    return figure
