import jax.numpy as jnp
import librosa
import numpy as np
import pytest
from parity import assert_same_decibels, pairwise, waveform

from asd_jax import features

# Every two of these values meet in some test; the full product would be 34 560 compilations.
GRID = pairwise(
    n_fft=(512, 1000, 1024, 2048),
    hop_length=(160, 256, 512),
    window=("whole", "shorter"),
    center=(True, False),
    n_mels=(40, 64, 128),
    power=(1.0, 2.0),
    htk=(False, True),
    norm=("slaney", None),
    band=((0.0, None), (50.0, 7_000.0)),
    length=("1", "n_fft - 1", "n_fft", "160000", "160001"),
    batch=((), (3,), (2, 2)),
)
ROWS = [pytest.param(row, marks=[pytest.mark.slow] if index % 3 else []) for index, row in enumerate(GRID)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: "-".join(str(value) for value in row.values()))
@pytest.mark.filterwarnings("ignore:n_fft=.* is too large:UserWarning")  # librosa, of short signals
@pytest.mark.filterwarnings("ignore:Empty filters detected:UserWarning")  # librosa's word for what follows
@pytest.mark.filterwarnings("ignore:mel bands .* are empty:UserWarning")  # tested on its own below
def test_equals_librosa(row):
    n_fft, (fmin, fmax) = row["n_fft"], row["band"]
    stft = {
        "n_fft": n_fft,
        "hop_length": row["hop_length"],
        "win_length": n_fft if row["window"] == "whole" else n_fft * 3 // 4 - 1,
        "center": row["center"],
        "power": row["power"],
    }
    bands = {"n_mels": row["n_mels"], "fmin": fmin, "fmax": fmax, "htk": row["htk"], "norm": row["norm"]}
    samples = waveform(eval(row["length"], {"n_fft": n_fft}), batch=row["batch"])
    if not row["center"] and samples.shape[-1] < n_fft:
        with pytest.raises(ValueError, match="shorter than n_fft"):
            features.log_mel_spectrogram(jnp.asarray(samples), **stft, **bands)
        return
    actual = features.log_mel_spectrogram(jnp.asarray(samples), sample_rate=16_000, **stft, **bands)
    expected = librosa.feature.melspectrogram(y=samples, sr=16_000, pad_mode="constant", **stft, **bands)
    assert actual.dtype == jnp.float32
    assert_same_decibels(actual, np.swapaxes(expected, -1, -2))


@pytest.mark.parametrize("row", pairwise(htk=(False, True), norm=("slaney", None), fmin=(0.0, 100.0), fmax=(None, 4e3)))
def test_filterbank_equals_librosa(row):
    expected = librosa.filters.mel(sr=16_000, n_fft=1024, n_mels=40, **row).T
    np.testing.assert_array_equal(features.mel_filterbank(n_mels=40, **row), expected)


def test_filterbank_is_a_constant():
    with pytest.raises(ValueError, match="read-only"):
        features.mel_filterbank()[0, 0] = 1.0


def test_triangles_over_mels_peak_at_their_centre():
    filters = features.mel_filterbank(n_fft=8192, n_mels=8, htk=True, norm=None, triangles="mel")
    edges = np.linspace(0, librosa.hz_to_mel(8000, htk=True), 10)
    peaks = librosa.hz_to_mel(np.argmax(filters, axis=0) * 16_000 / 8192, htk=True)
    np.testing.assert_allclose(peaks, edges[1:-1], atol=2)
    # Sides straight over mels add up to 1 between the first and the last centre.
    mels = librosa.hz_to_mel(np.arange(4097) * 16_000 / 8192, htk=True)
    inside = (mels > edges[1]) & (mels < edges[-2])
    np.testing.assert_allclose(filters[inside].sum(axis=1), 1.0, atol=1e-6)
    assert not filters[0].any()


def test_empty_bands_are_named():
    filters = librosa.filters.mel(sr=16_000, n_fft=1024, n_mels=40)  # a bank without empty bands, for contrast
    assert filters.any(axis=1).all()
    with pytest.warns(UserWarning, match="mel bands 0, 3, 6, 13 of 128 are empty"):
        filters = features.mel_filterbank(n_fft=400, n_mels=128, htk=True)
    np.testing.assert_array_equal(np.flatnonzero(~filters.any(axis=0)), [0, 3, 6, 13])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fmax": 8_001.0}, "fmax=8001.0 Hz is above the Nyquist frequency 8000.0 Hz"),
        ({"fmin": 4e3, "fmax": 3e3}, "fmin"),
        ({"n_mels": 0}, "n_mels"),
        ({"norm": "l3"}, "norm"),
        ({"triangles": "mel"}, "htk"),
        ({"triangles": "bark"}, "bark"),
    ],
)
def test_unsupported_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        features.mel_filterbank(**options)
