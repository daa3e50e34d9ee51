import json

import jax
import jax.numpy as jnp
import librosa
import numpy as np
import pytest
from parity import assert_same_decibels, waveform

from asd_jax import features
from asd_jax.features import FrontEnd

N_SAMPLES = 6_000
FRONT_ENDS = {name: FrontEnd(features=(name,)) for name in FrontEnd.known()} | {
    "log_mel,mfcc,cens": FrontEnd.from_names("log_mel,mfcc,cens"),
    "librosa": FrontEnd.from_names("log_mel,mfcc", preset="librosa"),
    "vggish": FrontEnd.from_names("log_mel,chroma_stft", preset="vggish"),
    "reflect": FrontEnd(pad_mode="reflect"),
}


@pytest.fixture(params=FRONT_ENDS)
def front_end(request):
    return FRONT_ENDS[request.param]


def test_the_default_is_the_log_mel_of_dcase():
    x = jnp.asarray(waveform(N_SAMPLES))
    assert FrontEnd() == FrontEnd.from_names("log_mel", preset="dcase")
    np.testing.assert_array_equal(FrontEnd()(x), features.log_mel_spectrogram(x))
    assert (FrontEnd().sample_rate, FrontEnd().hop_length, FrontEnd().n_features) == (16_000, 512, 128)
    assert FrontEnd().n_frames(160_000) == 313


def test_every_front_end(front_end):
    """Shapes, dtype, jit with a static front end, batch equals mapped single clips."""
    x = jnp.asarray(waveform(N_SAMPLES, batch=(2, 2)))
    compiled = jax.jit(lambda front_end, x: front_end(x), static_argnums=0)
    batch = compiled(front_end, x)
    assert batch.shape == (2, 2, front_end.n_frames(N_SAMPLES), front_end.n_features)
    assert batch.dtype == jnp.float32
    singles = jax.jit(jax.vmap(jax.vmap(front_end)))(x)
    np.testing.assert_allclose(batch, singles, rtol=1e-5, atol=1e-4)


def test_gradients_are_finite_at_silence(front_end):
    gradient = jax.jit(jax.grad(lambda x: jnp.sum(front_end(x))))
    for x in (jnp.zeros(N_SAMPLES), jnp.asarray(waveform(N_SAMPLES))):
        assert np.isfinite(gradient(x)).all()


def test_padding_moves_own_frames_only_where_it_says_so(front_end):
    x = jnp.asarray(waveform(N_SAMPLES))
    compiled = jax.jit(front_end)
    own = front_end.n_frames(N_SAMPLES)
    moved = np.abs(compiled(jnp.pad(x, (0, 5_000)))[:own] - compiled(x)).max()
    if front_end.pads_freely:
        assert moved <= 1e-5
    elif front_end.top_db is None:  # with it, zeros alone cannot raise a clip's largest value
        assert moved > 1e-3


def test_settings_survive_json(front_end):
    again = FrontEnd.from_dict(json.loads(json.dumps(front_end.to_dict())))
    assert again == front_end and hash(again) == hash(front_end)


def test_an_older_bundle_without_newer_settings():
    stored = {"sample_rate": 16_000, "n_fft": 512, "hop_length": 256, "n_mels": 40}
    assert FrontEnd.from_dict(stored) == FrontEnd(n_fft=512, hop_length=256, n_mels=40)


def test_features_stand_side_by_side():
    x = jnp.asarray(waveform(N_SAMPLES))
    expected = [features.log_mel_spectrogram(x), features.mfcc(x), jax.jit(features.cens)(x)]
    np.testing.assert_allclose(
        jax.jit(FrontEnd.from_names("log_mel, mfcc,cens"))(x), jnp.concatenate(expected, axis=-1), atol=1e-4
    )


@pytest.mark.parametrize(
    ("names", "options", "message"),
    [
        ("log_mel,wavelet", {}, "unknown feature wavelet; the known ones are log_mel, lmfe, mfcc"),
        ("log_mel", {"preset": "kaldi"}, "unknown preset kaldi; the known ones are dcase, librosa, torchaudio, vggish"),
        ("", {}, "no features named"),
        ("mfcc,mfcc", {}, "named twice"),
        ("cens", {"preset": "vggish"}, "centred"),
    ],
)
def test_unknown_names_are_refused(names, options, message):
    with pytest.raises(ValueError, match=message):
        FrontEnd.from_names(names, **options)


def test_preset_librosa_has_its_defaults():
    samples = waveform(30_000) * (np.arange(30_000) < 25_000)  # and then silence, which the floor must lift
    x = jnp.asarray(samples.astype(np.float32))
    mel = librosa.feature.melspectrogram(y=samples)  # every default, of 22 050 Hz
    log_mel = FrontEnd.from_names("log_mel", preset="librosa")(x)
    np.testing.assert_allclose(log_mel, librosa.power_to_db(mel).T, rtol=0, atol=1e-4)
    np.testing.assert_allclose(
        FrontEnd.from_names("mfcc", preset="librosa")(x), librosa.feature.mfcc(y=samples).T, rtol=0, atol=1e-3
    )


def reference_power(samples, *, n_fft, hop_length, window, power):
    frames = librosa.util.frame(samples.astype(np.float64), frame_length=len(window), hop_length=hop_length).T
    return np.abs(np.fft.rfft(frames * window, n_fft)) ** power


@pytest.mark.filterwarnings("ignore:mel bands 0, 3, 6, 13 of 128 are empty:UserWarning")  # and so are torchaudio's
@pytest.mark.filterwarnings("ignore:Empty filters detected:UserWarning")
def test_preset_torchaudio():
    """`MelSpectrogram()` and `AmplitudeToDB()`: frames reflected at the ends, triangles of HTK mels of height 1."""
    samples = waveform(8_000)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    power = reference_power(np.pad(samples, 200, mode="reflect"), n_fft=400, hop_length=200, window=window, power=2)
    mel = power @ librosa.filters.mel(sr=16_000, n_fft=400, n_mels=128, htk=True, norm=None).T
    actual = FrontEnd.from_names("log_mel", preset="torchaudio")(jnp.asarray(samples))
    assert actual.shape == (41, 128)
    assert_same_decibels(actual, mel)


def test_preset_vggish():
    """The feature code published with VGGish, written out: no padding, 25 ms in 10 ms steps, log(mel + 0.01)."""
    samples = waveform(8_000)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    spectrogram = reference_power(samples, n_fft=512, hop_length=160, window=window, power=1)
    mels = 1127.0 * np.log(1.0 + np.linspace(0.0, 8_000.0, 257) / 700.0)
    edges = np.linspace(1127.0 * np.log(1.0 + 125.0 / 700.0), 1127.0 * np.log(1.0 + 7_500.0 / 700.0), 66)
    filters = np.zeros((257, 64))
    for band in range(64):
        lower, center, upper = edges[band : band + 3]
        filters[:, band] = np.maximum(
            0, np.minimum((mels - lower) / (center - lower), (upper - mels) / (upper - center))
        )
    filters[0] = 0.0
    actual = FrontEnd.from_names("log_mel", preset="vggish")(jnp.asarray(samples))
    assert actual.shape == (48, 64)
    np.testing.assert_allclose(actual, np.log(spectrogram @ filters + 0.01), rtol=0, atol=1e-4)
