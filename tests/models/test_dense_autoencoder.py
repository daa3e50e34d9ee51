import jax
import numpy as np

from asd_jax import scorers
from asd_jax.features.scaling import Scaling
from asd_jax.features.stored_clips import StoredClips
from asd_jax.models import DenseAutoencoderConfig
from asd_jax.models.network import Network
from asd_jax.representations.residual import Residual


def keras_weights(path):
    """Parameters and running statistics from the published Keras weights.

    Our dense layers before a normalisation have no bias: there it is the same as a smaller running mean.
    """
    with np.load(path) as weights:
        weights = dict(weights)
    params = {"layers": {"blocks": {}}}
    state = {"layers": {"blocks": {}}}
    for k in range(9):
        dense, norm = (f"{name}_{k}" if k else name for name in ("dense", "batch_normalization"))
        params["layers"]["blocks"][k] = {
            "linear": {"kernel": weights[f"{dense}.kernel"]},
            "norm": {"bias": weights[f"{norm}.beta"], "scale": weights[f"{norm}.gamma"]},
        }
        mean = weights[f"{norm}.moving_mean"] - weights[f"{dense}.bias"]
        state["layers"]["blocks"][k] = {"norm": {"mean": mean, "var": weights[f"{norm}.moving_variance"]}}
    params["layers"]["output"] = {"kernel": weights["dense_9.kernel"], "bias": weights["dense_9.bias"]}
    return params, state


def test_published_weights_give_the_published_scores(real_data):
    params, state = keras_weights(real_data / "toycar_golden" / "dense_autoencoder_weights.npz")
    network = Network(DenseAutoencoderConfig(), 128)
    ours = jax.eval_shape(lambda: network.init(key=jax.random.key(0)))
    assert jax.tree.map(np.shape, (params, state)) == jax.tree.map(np.shape, ours)
    with np.load(real_data / "toycar_golden" / "id_01_clips.npz") as golden:
        clips, published = StoredClips.from_clips(list(golden["log_mel"])), golden["anomaly_score"]
    raw_decibels = Scaling(np.zeros(128, np.float32), np.ones(128, np.float32))
    values = Residual(network, params, state, raw_decibels)(clips)
    assert values.window_error.shape == (60, 196)
    scores = scorers.fit("mse", values.window_error).score(values.window_error)
    np.testing.assert_allclose(scores, published, rtol=1e-5)
