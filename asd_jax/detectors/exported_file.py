"""The file of an exported detector: its metadata, and the program that scores clips.

An ONNX file is a graph with the metadata as a property of its own. A StableHLO file is a zip archive that holds
`metadata.json` and `program.bin`, which `jax.export.deserialize` reads.
"""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from asd_jax.errors import InputError

FORMAT = 1  # one more whenever an older program could not read a file
PROPERTY = "asd_jax"
METADATA, PROGRAM = "metadata.json", "program.bin"
_MEND = "copy it again from where it was made, or export it again"

Scores = Callable[[np.ndarray, int], np.ndarray]


def read(path: Path, *, threads: int = 0) -> tuple[dict[str, Any], Scores]:
    """Metadata, and a function from clips `(n_clips, n_samples)` and the machine's index to scores.

    Raises:
        InputError: there is no such file, it is damaged, no exported detector, or of another version.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; give one that experiments.export wrote")
    try:
        with path.open("rb") as file:
            is_archive = file.read(2) == b"PK"
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); change its permissions") from error
    return _read_stablehlo(path) if is_archive else _read_onnx(path, threads)


def _checked(path: Path, text: str) -> dict[str, Any]:
    metadata = json.loads(text)
    if metadata.get("format") != FORMAT:
        raise InputError(
            f"{path} is of format {metadata.get('format')}, written by asd_jax {metadata.get('asd_jax')}; this version "
            f"reads format {FORMAT}: export the run again"
        )
    return metadata


def _read_onnx(path: Path, threads: int) -> tuple[dict[str, Any], Scores]:
    try:
        import onnxruntime
    except ImportError as error:
        raise InputError(f"{path}: an ONNX file needs onnxruntime; pip install onnxruntime") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3  # it warns that inputs with a default cannot be folded, which is what they are for
    options.enable_cpu_mem_arena = False  # which would keep the largest batch's memory
    try:
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own, of many kinds
        raise InputError(f"{path} is damaged, cut short, or no ONNX file; {_MEND}") from error
    text = session.get_modelmeta().custom_metadata_map.get(PROPERTY)
    if text is None:
        raise InputError(f"{path} is an ONNX file, but no detector that experiments.export wrote; {_MEND}")

    def scores(clips: np.ndarray, machine: int) -> np.ndarray:
        return session.run(["score"], {"waveform": clips, "machine": np.asarray(machine, np.int32)})[0]

    return _checked(path, text), scores


def _read_stablehlo(path: Path) -> tuple[dict[str, Any], Scores]:
    try:
        with zipfile.ZipFile(path) as archive:
            text, program = archive.read(METADATA).decode(), archive.read(PROGRAM)
    except (zipfile.BadZipFile, KeyError, EOFError, OSError) as error:
        raise InputError(f"{path} is damaged, cut short, or no exported detector; {_MEND}") from error
    metadata = _checked(path, text)
    try:
        from jax import export  # late: whoever scores with an ONNX file does without
    except ImportError as error:
        raise InputError(f"{path}: a StableHLO file needs JAX; export the run as onnx to do without") from error
    call = export.deserialize(bytearray(program)).call
    thresholds = np.zeros(len(metadata.get("machines", ())), np.float32)  # decisions are made from scores

    def scores(clips: np.ndarray, machine: int) -> np.ndarray:
        return np.asarray(call(clips, thresholds, np.asarray(machine, np.int32))[0])

    return metadata, scores
