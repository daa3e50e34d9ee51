"""From a config to a run folder: one `run` for every system; evaluating it again, comparing, submitting."""

from asd_jax.datasets import DataConfig
from asd_jax.runs.config import RunConfig, Selection, Supervised
from asd_jax.runs.evaluation import evaluate_run
from asd_jax.runs.exporting import export_run
from asd_jax.runs.outputs import Outputs
from asd_jax.runs.recalibration import recalibrate
from asd_jax.runs.recipes import embedding, network, pretrained, statistics, vectors
from asd_jax.runs.run import run

__all__ = [
    "DataConfig",
    "Outputs",
    "RunConfig",
    "Selection",
    "Supervised",
    "embedding",
    "evaluate_run",
    "export_run",
    "network",
    "pretrained",
    "recalibrate",
    "run",
    "statistics",
    "vectors",
]
