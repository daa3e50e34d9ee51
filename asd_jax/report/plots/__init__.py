"""Plots for people, each a function of arrays that gives a matplotlib figure; a title says what the plot shows."""

from asd_jax.report.plots.clip import clip_picture
from asd_jax.report.plots.decisions import confusion_matrix, score_histograms
from asd_jax.report.plots.over_time import over_time
from asd_jax.report.plots.ranking import machine_id_bars, precision_recall, roc
from asd_jax.report.plots.seeds import seed_agreement
from asd_jax.report.plots.style import png
from asd_jax.report.plots.systems import systems
from asd_jax.report.plots.timeline import timeline
from asd_jax.report.plots.training_curves import training_curves

__all__ = [
    "clip_picture",
    "confusion_matrix",
    "machine_id_bars",
    "over_time",
    "png",
    "precision_recall",
    "roc",
    "score_histograms",
    "seed_agreement",
    "systems",
    "timeline",
    "training_curves",
]
