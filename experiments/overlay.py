"""Flags laid over a run's config: what each flag that is given changes. No flag is read here."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from asd_jax.errors import InputError

# The setting that a flag's value becomes as it is; a path of fields, and of keys in mappings.
_PATHS = {
    "machine": "data.machine",
    "machine_id": "data.machine_ids",
    "data_dir": "data.data_dir",
    "dataset": "data.dataset",
    "embeddings": "data.embeddings",
    "channel": "data.channel",
    "supplemental": "data.supplemental",
    "reference_channel": "data.reference_channel",
    "far_bleed": "data.far_bleed",
    "skip_bad_files": "data.skip_bad_files",
    "split_seed": "data.split_seed",
    "clip_seconds": "data.clip_seconds",
    "clip_hop_seconds": "data.clip_hop_seconds",
    "max_memory_gb": "data.max_memory_gb",
    "seed": "seed",
    "threshold": "threshold",
    "epochs": "recipe.training.epochs",
    "batch_size": "recipe.training.batch_size",
    "learning_rate": "recipe.training.learning_rate",
    "mesh": "recipe.training.mesh",
    "num_seeds": "recipe.num_seeds",
    "per_machine_id": "recipe.per_machine_id",
    "validation_fraction": "recipe.validation_fraction",
    "branches": "recipe.model.branches",
    "pseudo_classes": "recipe.pseudo_classes",
    "hidden_size": "recipe.model.hidden_size",
    "context_frames": "recipe.model.context_frames",
    "carry_state": "recipe.model.carry_state",
    "window_frames": "recipe.model.window_frames",
    "window_hop": "recipe.model.window_hop",
    "n_folds": "supervised.n_folds",
    "save": "supervised.save",
} | {
    name: f"scorer.settings.{name}"
    for name in (
        "n_clusters",
        "n_components",
        "covariance_type",
        "reg_covar",
        "nu",
        "gamma",
        "n_trees",
        "n_neighbors",
    )
}


def lay_over(config: Any, given: Mapping[str, Any]) -> Any:
    """A `RunConfig` with the values of flags laid over it.

    Args:
        config: the recipe's, or that of another run.
        given: values by flag; those that name no setting are left out of account.

    Raises:
        InputError: a value that cannot be.
    """
    for name, path in _PATHS.items():
        if name in given:
            value = given[name]
            _check_there(config, name, path)
            config = _with(config, path, tuple(value) if isinstance(value, list) else value)
    if "epochs" in given:
        config = _with(config, "recipe.training.min_steps", 0)  # epochs that were asked for are not raised
    if "batch_size" in given:
        config = _with(config, "recipe.training.shrink_batch", False)
    if "context_frames" in given:  # an example holds as many predictions as before
        model = config.recipe.model
        config = _with(config, "recipe.model.segment_frames", model.context_frames + 20)
    if "window_frames" in given:
        config = _with(config, "recipe.model.window_hop", given.get("window_hop", given["window_frames"] // 2))
    if "objective" in given:
        config = _with(config, "recipe.objective", _objective(given["objective"]))
    if "mixup" in given:
        config = _with(config, "recipe.objective.mixup", given["mixup"])
    if "bottleneck_size" in given:
        config = _bottleneck(config, given["bottleneck_size"])
    if {"features", "preset"} & set(given):
        config = dataclasses.replace(config, front_end=_front_end(config.front_end, given))
    config = _statistics(config, given)
    return _scorers(config, given)


def _check_there(config: Any, flag: str, path: str) -> None:
    """Raise InputError where a setting is none of this config's, so that no run is recorded as if it had an effect."""
    for name in path.split(".")[:-1]:
        config = getattr(config, name, None)
        if isinstance(config, Mapping):
            return
    if not hasattr(config, path.rpartition(".")[2]):
        raise InputError(f"`{flag}` has no effect here: what this run fits has no such setting; leave it out")


def _with(config: Any, path: str, value: Any) -> Any:
    """A nested dataclass or mapping with another value at a path."""
    name, _, rest = path.partition(".")
    if isinstance(config, Mapping):
        return {**config, name: value}
    return dataclasses.replace(config, **{name: _with(getattr(config, name), rest, value) if rest else value})


def _objective(name: str) -> Any:
    from asd_jax.training import objectives

    if name not in objectives.REGISTRY:
        raise InputError(f"`objective={name}`: not known; there are {', '.join(objectives.REGISTRY)}")
    return objectives.REGISTRY[name]()


def _bottleneck(config: Any, given: list[str]) -> Any:
    try:
        sizes = tuple(int(size) for size in given)
    except ValueError:
        sizes = (0,)
    if min(sizes, default=0) < 1:
        raise InputError(f"`bottleneck_size={','.join(given)}`: give numbers from 1, such as 2,4,8")
    config = _with(config, "recipe.model.bottleneck_size", sizes[0])
    return _with(config, "recipe.bottleneck_sizes", sizes if len(sizes) > 1 else ())


def _front_end(before: Any, given: Mapping[str, Any]) -> Any:
    from asd_jax.features import FrontEnd

    if not isinstance(before, FrontEnd):
        flag = "features" if "features" in given else "preset"
        raise InputError(f"`{flag}` has no effect here: this run reads {before.kind}; leave it out")
    names = given["features"].split(",") if given.get("features") else before.features
    try:
        if "preset" in given:
            return FrontEnd.from_names(names, preset=given["preset"])
        return dataclasses.replace(before, features=tuple(name.strip() for name in names if name.strip()))
    except ValueError as error:
        raise InputError(f"`features`: {error}") from error


def _scorers(config: Any, given: Mapping[str, Any]) -> Any:
    """The headline scorer of `scorer`, those beside it of `scorers`, and how its settings are chosen."""
    from asd_jax.detectors import ScorerSpec
    from asd_jax.representations import Trained
    from asd_jax.runs.config import Selection, exploratory

    def named(flag: str, make: Callable[[], Any]) -> Any:
        try:
            return make()
        except InputError as error:
            raise InputError(f"`{flag}`: {error}") from error

    spec, also = config.scorer, config.scorers
    if "scorer" in given and given["scorer"] != spec.name:
        spec = named("scorer", lambda: ScorerSpec(given["scorer"]))
    if "scorers" in given:
        also = named("scorers", lambda: exploratory(given["scorers"], spec))
    if isinstance(config.recipe, Trained):  # whose headline is one of the scorers that all networks report
        also = tuple(of for of in also if of.label != spec.label)
    if given.get("search") and given.get("oracle_search"):
        raise InputError("`search` and `oracle_search` exclude one another")
    fusion = config.fusion
    if "fusion" in given or "fusion_rule" in given:
        fusion = _fusion(fusion, given)
    selection = config.selection
    for name in ("search", "oracle_search"):
        if name in given:
            selection = Selection(name) if given[name] else Selection.FIXED if selection == name else selection
    return dataclasses.replace(config, scorer=spec, scorers=also, fusion=fusion, selection=selection)


def _fusion(before: Any, given: Mapping[str, Any]) -> Any:
    from asd_jax.detectors.fusion import FusionSpec

    if before is None and "fusion" not in given:
        raise InputError("`fusion_rule` has no effect here: it is for `fusion`, or leave it out")
    of = tuple(name.strip() for name in given["fusion"].split("+")) if "fusion" in given else before.of
    return FusionSpec(of, given.get("fusion_rule", "mean" if before is None else before.rule))


def _statistics(config: Any, given: Mapping[str, Any]) -> Any:
    """What a scorer without a network reads: statistics of a clip's frames, or overlapping frames pooled."""
    from asd_jax.representations import ClipSummary, OverlappingFrames

    flags = {"features", "preset", "summary", "twfr_decay", "frames", "frame_seconds", "overlap", "pool", "pca"}
    recipe, spec, front_end = config.recipe, config.scorer, config.front_end
    if not flags & set(given) or not isinstance(recipe, ClipSummary | OverlappingFrames):
        return config
    is_frames = isinstance(recipe, OverlappingFrames)
    settings = {name: value for name, value in spec.settings.items() if name != "standardize"}
    name, pca = spec.name, given.get("pca")
    if pca is not None:
        if not pca > 0:
            raise InputError(f"`pca={pca:g}`: give a share of the variance, or a number of components, above 0")
        name, settings = f"pca+{name.removeprefix('pca+')}", settings | {"pca_components": pca}
    wants_frames = given.get("frames", is_frames and not {"features", "summary"} & set(given))
    _refuse_unread(given, wants_frames, given.get("summary", () if is_frames else recipe.statistics))
    if wants_frames:
        seconds = front_end.hop_length / front_end.sample_rate
        recipe = OverlappingFrames.of_seconds(
            front_end,
            frame_seconds=given.get("frame_seconds", recipe.window_frames * seconds if is_frames else 0.6),
            overlap=given.get("overlap", 1 - recipe.window_hop / recipe.window_frames if is_frames else 0.5),
        )
        pool = given.get("pool", spec.pool or "mean")
        if not name.startswith("pca+"):  # the frames' own scale takes the place of the scorer's standardisation
            settings["standardize"] = False
    else:
        before = ClipSummary() if is_frames else recipe
        statistics = tuple(given.get("summary", before.statistics))
        recipe, pool = ClipSummary(statistics, given.get("twfr_decay", before.decay)), None
    spec = dataclasses.replace(spec, name=name, settings=settings, pool=pool)
    return dataclasses.replace(config, recipe=recipe, scorer=spec)


def _refuse_unread(given: Mapping[str, Any], frames: bool, statistics: Sequence[str]) -> None:
    """Raise InputError for a flag that nothing would read, so that no run is recorded as if it had an effect."""
    unread = {"summary": "overlapping frames have none"} if frames else {}
    if not frames:
        unread = dict.fromkeys(("pool", "frame_seconds", "overlap"), "it is for overlapping frames, pass `frames`")
    if frames or "twfr" not in statistics:
        unread["twfr_decay"] = "it is for `summary=twfr`"
    for name, reason in unread.items():
        if name in given:
            raise InputError(f"`{name}` has no effect here: {reason}, or leave it out")
