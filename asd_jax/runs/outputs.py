"""What a run writes beside its results: plots, a report, TensorBoard events, files to submit."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

from asd_jax.datasets import Dataset
from asd_jax.detectors.bundle import Detectors
from asd_jax.evaluation.evaluate import Evaluation
from asd_jax.features import AnyFrontEnd
from asd_jax.features.stored_clips import StoredClips


@dataclasses.dataclass(frozen=True)
class Outputs:
    """Which of them are wanted; none by default, those to look at by default on the command line.

    Attributes:
        report: `plots/` and `report.html`.
        tensorboard: `tensorboard/`.
        submission: `submission/`, the files that DCASE Task 2 takes.
    """

    report: bool = False
    tensorboard: bool = False
    submission: bool = False

    def write(
        self,
        workdir: Path,
        evaluation: Evaluation,
        detectors: Detectors,
        frames: dict[AnyFrontEnd, StoredClips],
        dataset: Dataset,
        say: Callable[[str], None],
    ) -> None:
        """Write what is wanted of an evaluation, whose results are complete.

        The libraries are imported here, since most scripts' users wait for them in vain.
        """
        if self.submission:
            from asd_jax.runs import submission

            files = submission.write(workdir)
            say(f"submission: {len(files)} file(s) in {workdir / submission.FOLDER}")
        if self.tensorboard:
            from asd_jax.report.tensorboard import write_scores

            write_scores(workdir / "tensorboard", evaluation.results, evaluation)
        if self.report:
            from asd_jax.report import write_report

            path = write_report(workdir, evaluation.results, evaluation, detectors, frames, dataset)
            say(f"look at {path}")
