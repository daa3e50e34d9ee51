import pytest

from benchmarks.harness import Measured, Ratio

torch = pytest.importorskip("torch")


def test_a_ratio_is_of_paired_runs():
    measured = Measured(
        "work", "clips", 8, {"ours": [1.0, 2.0, 4.0], "theirs": [2.0, 4.0, 8.0], "slow": [3.0, 6.0, 24.0]}
    )
    assert measured.rates == {"ours": 4.0, "theirs": 2.0, "slow": pytest.approx(4 / 3)}
    assert measured.ratios["theirs"] == Ratio(2.0, 2.0, 2.0)
    assert measured.ratios["slow"] == Ratio(3.0, 3.0, 5.4)


def test_what_fell_by_more_than_the_spread():
    pytest.importorskip("onnxruntime")
    from benchmarks.all import fallen

    recorded = {name: Ratio(1.2, 1.1, 1.3) for name in ("same", "fell", "noisy", "gone")}
    now = {
        "same": Ratio(1.15, 1.1, 1.2),
        "fell": Ratio(1.0, 0.9, 1.1),
        "noisy": Ratio(1.0, 0.7, 1.4),
        "new": Ratio(1, 1, 1),
    }
    assert fallen(recorded, now) == ["fell", "gone"]


def test_products_are_counted_through_loops():
    import jax
    import jax.numpy as jnp

    from benchmarks.products import gflop

    def run(a, b):
        step = lambda a, _: (jnp.tanh(a @ b), None)  # noqa: E731
        return jax.lax.scan(step, a, length=5)[0]

    traced = jax.jit(jax.grad(lambda a, b: run(a, b).sum(), argnums=1)).trace(jnp.ones((3, 4)), jnp.ones((4, 4)))
    # Five forward, five gradients of b, five of a; the first state's own gradient is not needed, but the loop takes it.
    assert gflop(traced) * 1e9 == 15 * 2 * 3 * 4 * 4


@pytest.mark.service
def test_the_benchmark_of_a_gpu_runs():
    """With a few small steps on the CPU, so that it is in order whenever there is a card."""
    from benchmarks import gpu

    torch.set_num_threads(1)  # more of them wait by spinning, which beside other tests takes minutes
    lines = gpu.table(gpu.TINY).splitlines()
    rows = [line for line in lines if line.startswith("| ") and not line.startswith("| |")]
    names = (
        "LSTM predictor",
        "dense",
        "gru",
        "lstm autoencoder",
        "multi_branch, default",
        "log-mels",
        "lstm_pred, 1 epochs",
    )
    assert [name for name in names if not any(name in row for row in rows)] == []
    assert "Gflop/s" in lines[0] and all(row.count("|") in (4, 5, 6) for row in rows)
