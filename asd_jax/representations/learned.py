"""What networks are trained on and become, by what they give: residuals of frames or embeddings of waveforms."""

import dataclasses
import functools
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import jax.numpy as jnp
import numpy as np
from jaxtyping import Int, PyTree

from asd_jax.datasets.extraction import Extracted
from asd_jax.features import scaling as scalings
from asd_jax.models.network import Learner, Network
from asd_jax.representations.embedding import Embedding
from asd_jax.representations.pseudo_classes import pseudo_classes
from asd_jax.representations.representation import Representation
from asd_jax.representations.residual import Residual
from asd_jax.training import placement
from asd_jax.training.batches import ClipsElsewhere
from asd_jax.training.clip_examples import clip_source, whole_clips
from asd_jax.training.examples import Examples, Listed
from asd_jax.training.reading import read_clips

if TYPE_CHECKING:
    from asd_jax.representations.trained import Trained

Indices = Int[np.ndarray, " _"]
_LONGEST = 2  # times the median clip: longer ones are cropped


@runtime_checkable
class Learned(Protocol):
    """The training clips of a run, in device memory once for all its networks, or read from where they lie.

    Attributes:
        learner: what is trained.
        targets: classes of the clips, where the objective reads any.
    """

    learner: Learner
    targets: Indices | None

    def examples(self, mine: Indices, train: Indices, validation: Indices) -> Examples:
        """Examples of a network that knows the clips `mine`, some of which it is trained on, some validated by."""

    def representation(self, params: PyTree, model_state: PyTree, examples: Examples) -> Representation:
        """What a network with these parameters makes of clips."""


class LearnedResidual:
    """See `Learned`: segments of frames, scaled."""

    def __init__(self, recipe: "Trained", train: Extracted) -> None:
        self._recipe, self._frames, self.targets = recipe, train.frames, recipe.objective.targets(train.clips)
        self._values = jnp.asarray(train.frames.values) if placement.holds(train.frames) else None
        self.learner = Network(recipe.model, train.frames.values.shape[1])

    def examples(self, mine: Indices, train: Indices, validation: Indices) -> Listed:
        """Segments, scaled as the clips that the network knows."""
        own = self._frames if len(mine) == len(self._frames) else self._frames.select(mine)
        model = self._recipe.model
        return Listed.of(
            self._frames,
            train,
            validation,
            length=model.segment_frames,
            hop=model.segment_hop,
            config=self._recipe.training,
            scaling=scalings.REGISTRY[model.scaling](own),
            targets=self.targets,
            values=self._values,
        )

    def representation(self, params: PyTree, model_state: PyTree, examples: Listed) -> Residual:
        """The residual."""
        return Residual(self.learner, params, model_state, examples.source.scaling)


class LearnedEmbedding:
    """See `Learned`: whole waveforms, each with its class."""

    def __init__(self, recipe: "Trained", train: Extracted) -> None:
        self._recipe, self._notes = recipe, []
        self._source, self._read = ClipsElsewhere(), None
        if placement.holds(train.frames):
            self._source = clip_source(train.frames)
        else:
            self._read = functools.partial(read_clips, train.frames, int(train.frames.clip_length.max()))
        self.targets = self._classes(train)
        self._length = self._samples(train.frames.clip_length)
        self.learner = recipe.objective.learner(Network(recipe.model, self._length), self.targets)

    def _classes(self, train: Extracted) -> Indices:
        targets, wanted = self._recipe.objective.targets(train.clips), self._recipe.pseudo_classes
        if targets.max() == 0:
            targets = pseudo_classes(train.frames, wanted, sample_rate=self._recipe.model.sample_rate)
            self._notes.append(
                f"all training clips are of one class: the network tells {targets.max() + 1} groups of them apart "
                "instead (k-means of their mean log-mels)"
            )
        sizes = np.bincount(targets)
        self._notes.append(f"{len(sizes)} classes of {sizes.min()} to {sizes.max()} training clips")
        if lone := int((sizes == 1).sum()):
            self._notes.append(
                f"{lone} of {len(sizes)} classes have a single training clip, from which little is learned"
            )
        return targets

    def _samples(self, lengths: Indices) -> int:
        """Samples that clips are tiled or cropped to: of the longest, unless the branches need more."""
        model = self._recipe.model
        samples = max(min(int(lengths.max()), int(_LONGEST * np.median(lengths))), model.least_samples)
        if model.seconds is not None:
            samples = round(model.seconds * model.sample_rate)
        if lengths.min() != samples or lengths.max() != samples:
            low, high, to = (count / model.sample_rate for count in (lengths.min(), lengths.max(), samples))
            self._notes.append(f"clips of {low:.4g} to {high:.4g} s are tiled or cropped to {to:.4g} s")
        return samples

    def examples(self, mine: Indices, train: Indices, validation: Indices) -> Listed:
        """Clips; all that the network is not kept from."""
        examples = whole_clips(
            self._source,
            train,
            validation,
            length=self._length,
            config=self._recipe.training,
            targets=self.targets,
            read=self._read,
        )
        n_classes, notes = self.targets.max() + 1, list(self._notes)
        if examples.batch_size < n_classes:
            notes.append(f"a batch of {examples.batch_size} is smaller than the {n_classes} classes")
        return dataclasses.replace(examples, notes=(*notes, *examples.notes))

    def representation(self, params: PyTree, model_state: PyTree, examples: Listed) -> Embedding:
        """The embedding; what the objective learned beside it has served."""
        return Embedding(self.learner.network, self.learner.own(params), self.learner.own(model_state))


LEARNED = {"residual": LearnedResidual, "embedding": LearnedEmbedding}  # by what a model gives
