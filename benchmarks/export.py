"""Exported detectors: `taskset -c 0 python -m benchmarks.export RUN ...`, runs of gmm, lstm_pred and the like.

Milliseconds of a clip in onnxruntime on one core, beside the graph's own DFT node alone and the detector itself; the
resident memory of a process that scores with the file. Floors: `gmm` twice the DFT, `lstm_pred` six times, 200 MB.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from asd_jax.detectors.bundle import load_detector
from asd_jax.detectors.export import Program, contents
from asd_jax.runs import folder
from benchmarks import harness

FLOORS = {"gmm": 2.0, "lstm_pred": 6.0}
MOST_MEMORY = 200.0  # MB
_MEMORY = """
import sys
import numpy as np
from asd_jax import exported
detector = exported.load(sys.argv[1], threads=1)
clips = 0.1 * np.random.default_rng(0).standard_normal((20, detector.n_samples)).astype(np.float32)
detector.judge(clips, sample_rate=detector.sample_rate, machine_id=detector.machine_ids[0])
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def session(model: object) -> Callable[[dict[str, np.ndarray]], object]:
    """Runs a model on one core."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    made = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return lambda inputs: made.run(None, inputs)


def dft_alone(model: bytes) -> tuple[bytes, tuple[int, ...]]:
    """A model of nothing but the graph's DFT node, and the shape of what it reads of a clip."""
    import onnx

    graph = onnx.shape_inference.infer_shapes(onnx.load_from_string(model), data_prop=True).graph
    node = next(node for node in graph.node if node.op_type == "DFT")
    read = next(of for of in graph.value_info if of.name == node.input[0])
    shape = (1, *(dim.dim_value for dim in read.type.tensor_type.shape.dim[1:]))
    float32 = onnx.TensorProto.FLOAT
    made = onnx.helper.make_graph(
        [node],
        "dft",
        [onnx.helper.make_tensor_value_info(node.input[0], float32, shape)],
        [onnx.helper.make_tensor_value_info(node.output[0], float32, None)],
        [of for of in graph.initializer if of.name in node.input],
    )
    opset = [onnx.helper.make_opsetid("", 20)]
    return onnx.helper.make_model(made, opset_imports=opset, ir_version=10).SerializeToString(), shape


def peak_memory(content: bytes) -> float:
    """MB of a process that scores twenty clips."""
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "detector.onnx"
        file.write_bytes(content)
        done = subprocess.run([sys.executable, "-c", _MEMORY, str(file)], capture_output=True, text=True, check=True)
    return int(done.stdout) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--repeats", type=int, default=31)
    parser.add_argument("--force", action="store_true", help="measure on a busy machine; not to be recorded")
    arguments = parser.parse_args()
    harness.describe_machine("onnxruntime", "jax2onnx", force=arguments.force)
    rng = np.random.default_rng(0)
    header = ("clip s", "MB", "ms", "DFT ms", "ratio", "floor", "library ms", f"peak MB (<{MOST_MEMORY:.0f})")
    print(f"\n{'system':<12}" + "".join(f"{name:>{max(9, len(name) + 2)}}" for name in header))
    for run in arguments.runs:
        detector, name = load_detector(run), folder.read_config(run)["experiment"]
        machine = detector.machines[0]
        program = Program.of(detector, machines=[machine])
        content = contents(program, "onnx", about={"channel": "mix"})
        whole, (dft, shape) = session(content), dft_alone(content)
        dft, frames = session(dft), rng.standard_normal(shape).astype(np.float32)
        read = next(of.name for of in _inputs(dft_alone(content)[0]))
        clip = 0.1 * rng.standard_normal((1, program.n_samples)).astype(np.float32)
        options = {"sample_rate": detector.sample_rate, "machine_id": machine.machine_id}
        candidates = {
            "program": lambda whole=whole, clip=clip: whole({"waveform": clip}),
            "dft": lambda dft=dft, read=read, frames=frames: dft({read: frames}),
            "library": lambda detector=detector, clip=clip, options=options: detector.score(clip, **options),
        }
        taken = {of: 1e3 * value for of, value in harness.seconds(candidates, repeats=arguments.repeats).items()}
        seconds, ratio = program.n_samples / detector.sample_rate, taken["program"] / taken["dft"]
        row = f"{name:<12}{seconds:>9.1f}{len(content) / 1e6:>9.2f}{taken['program']:>9.2f}{taken['dft']:>9.2f}"
        row += f"{ratio:>9.2f}{FLOORS.get(name, ''):>9}{taken['library']:>12.1f}{peak_memory(content):>16.0f}"
        print(row)


def _inputs(model: bytes) -> list:
    import onnx

    return list(onnx.load_from_string(model).graph.input)


if __name__ == "__main__":
    main()
