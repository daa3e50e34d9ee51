"""`score_archive` as a script: what it refuses before anything is begun."""

import importlib.util

import pytest


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--checkpoint is needed, the folder of a finished run, or --model"),
        (["--checkpoint=nowhere"], "--input is needed"),
        (["--checkpoint=nowhere", "--input=in"], "--out is needed"),
        (["--checkpoint=nowhere", "--input=in", "--out=OUT"], "no checkpoint there; give the folder of a finished run"),
        (["--checkpoint=nowhere", "--input=in", "--out=OUT", "--ray_address=auto"], "--ray_address is of --engine=ray"),
        (["--model=nothing.onnx", "--input=in", "--out=OUT"], "nothing.onnx: no such file"),
        (["--model=nothing.onnx", "--input=in", "--out=OUT", "--report"], "--report needs a run"),
        (["--checkpoint=a", "--model=b"], "--checkpoint and --model: give one"),
        (["--checkpoint=a", "--machine_id=id_00,id_02"], "--machine_id: give one id"),
        (["--checkpoint=a", "--shard_size=0"], "shard_size=0"),
    ],
)
def test_refused(arguments, message, run_script, tmp_path):
    out = tmp_path / "out"
    status, _, stderr = run_script("score_archive", *[of.replace("OUT", str(out)) for of in arguments])
    assert status == 1 and stderr.count("\n") == 1 and stderr.startswith("error: "), stderr
    assert message in stderr
    assert not out.exists()


@pytest.mark.skipif(importlib.util.find_spec("ray") is not None, reason="Ray is installed here")
def test_without_ray():
    from asd_jax.errors import InputError
    from asd_jax.runs.cluster import join

    with pytest.raises(InputError, match=r"needs Ray; pip install 'asd_jax\[cluster\]', or take `engine=local`"):
        join(None)
