"""Clips a second of the front ends, beside librosa and torch.stft: `python -m benchmarks.features`.

Clips are 10 s at 16 kHz. Ours go through `extract_waveforms`, as in every run: compiled batches of six, a thread a
core, arrays out; librosa takes one clip at a time, as people use it; torch takes batches of six on its own threads,
once in float64 up to the power, as librosa and we do, and once in float32, which on real machines is 4e-4 dB off.
`--memory` measures the peak of featurising 2400 clips instead.
"""

import argparse
import functools
import resource

import jax
import jax.numpy as jnp
import librosa
import numpy as np

from asd_jax import features
from asd_jax.features.extraction import extract_waveforms
from benchmarks import harness
from benchmarks.harness import Measured

SAMPLE_RATE, SECONDS = 16_000, 10
N_CLIPS = {"log_mel": 192, "mfcc": 192, "cens": 24}
STFT = {"n_fft": 1024, "hop_length": 512}
TORCH = ("torch float64", "torch float32")


def waveforms(n_clips: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((n_clips, SAMPLE_RATE * SECONDS)).astype(np.float32) * 0.1


def one_by_one(function, clips):
    return lambda: [function(clip) for clip in clips]


def librosa_log_mel(clip):
    mel = librosa.feature.melspectrogram(y=clip, sr=SAMPLE_RATE, n_mels=128, pad_mode="constant", **STFT)
    return librosa.power_to_db(mel, top_db=None)


def librosa_mfcc(clip):
    return librosa.feature.mfcc(S=librosa_log_mel(clip))


def librosa_cens(clip):
    return librosa.feature.chroma_cens(y=clip, sr=SAMPLE_RATE, tuning=0.0)


def torch_log_mel(clips, precision, *, device=None):
    """The same mel with torch.stft in `float32` or `float64`, or None where torch is not installed.

    On a `device` the clips and the mels stay there, and are waited for.
    """
    try:
        import torch
    except ImportError:
        return None
    dtype = getattr(torch, precision)
    window = torch.hann_window(1024, dtype=dtype, device=device)
    filters = torch.from_numpy(features.mel_filterbank().copy()).to(device)
    clips = torch.from_numpy(clips.copy()).to(device)

    def compute():
        with torch.inference_mode():
            mels = [log_mel(batch) for batch in clips.split(6)]
            if device == "cuda":
                torch.cuda.synchronize()
            return mels if device else [of.numpy() for of in mels]

    def log_mel(batch):
        spectrum = torch.stft(batch.to(dtype), **STFT, window=window, pad_mode="constant", return_complex=True)
        mel = spectrum.abs().square().float().transpose(-1, -2) @ filters
        return 10 * torch.log10(mel.clamp(min=1e-10))

    return compute


def compare(repeats: int = 9) -> list[Measured]:
    """Every front end beside what else computes it."""
    peers = {"log_mel": librosa_log_mel, "mfcc": librosa_mfcc, "cens": librosa_cens}
    found = []
    for name, peer in peers.items():
        clips, front_end = waveforms(N_CLIPS[name]), features.FrontEnd(features=(name,))
        candidates = {
            "asd_jax": functools.partial(extract_waveforms, clips, front_end),
            "librosa": one_by_one(peer, clips),
        }
        if name == "log_mel":
            torches = {column: torch_log_mel(clips, column.split()[1]) for column in TORCH}
            candidates |= {column: torch for column, torch in torches.items() if torch}
        found.append(Measured(name, "clips", len(clips), harness.times(candidates, repeats=repeats)).show())
    if jax.default_backend() != "cpu":
        clips = waveforms(16)
        on_cpu = jax.jit(features.FrontEnd())(jax.device_put(clips, jax.devices("cpu")[0]))
        difference = np.abs(np.asarray(on_cpu) - np.asarray(jax.jit(features.FrontEnd())(jnp.asarray(clips)))).max()
        print(f"log-mels of this device and of the CPU differ by {difference:.1e} dB at most")
    return found


def where_time_goes() -> None:
    """The steps of a log-mel alone, on one clip, as a front end runs them on a CPU."""
    clip = jnp.asarray(waveforms(1)[0])
    with jax.enable_x64(True):
        frames = jnp.asarray(np.random.default_rng(0).standard_normal((313, 1024)))
        square = jnp.asarray(np.random.default_rng(0).standard_normal((1024, 1024)))
        transform, product = jax.jit(jnp.fft.rfft), jax.jit(jnp.matmul)
        window = jnp.asarray(np.hanning(1025)[:-1])
        cut = jax.jit(
            lambda x: (
                features.frame(jnp.pad(x, (512, 512)).astype(jnp.float64), frame_length=1024, hop_length=512)
                * window[None]
            )
        )
        steps = harness.seconds(
            {
                "frames and window": lambda: cut(clip),
                "FFT (float64)": lambda: transform(frames),
                "matrix product": lambda: product(square, square),
            },
            repeats=31,
        )
    limit = 2 * 1024**3 / steps.pop("matrix product")
    spectrum = features.stft(clip)
    power = features.power_spectrogram(clip)
    mel = features.mel_spectrogram(clip)
    filters = features.mel_filterbank()
    square_of = jax.jit(lambda s: jnp.square(s.real) + jnp.square(s.imag))
    bank = jax.jit(lambda p: jnp.matmul(p, filters, precision="highest"))
    logarithm = jax.jit(features.power_to_db)
    whole = jax.jit(features.log_mel_spectrogram)
    steps |= harness.seconds(
        {
            "power": lambda: square_of(spectrum),
            "filterbank": lambda: bank(power),
            "logarithm": lambda: logarithm(mel),
            "all in one": lambda: whole(clip),
        },
        repeats=31,
    )
    print("\nstep of a log-mel    ms a clip")
    for name, value in steps.items():
        print(f"{name:20} {1e3 * value:9.3f}")
    flops = 313 * 2.5 * 1024 * np.log2(1024) / steps["FFT (float64)"]
    print(
        f"the FFT does {flops / 1e9:.1f} Gflop/s (2.5 n log2 n a frame), {100 * flops / limit:.0f} % of the "
        f"{limit / 1e9:.0f} Gflop/s of a float64 matrix product here"
    )


def memory() -> None:
    """Peak memory of the frames of 2400 clips, stored once, beyond what the program held before."""
    n_clips, clip = 2400, waveforms(1)[0]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    frames = extract_waveforms((clip.copy() for _ in range(n_clips)), features.FrontEnd(), n_clips=n_clips)
    peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    size = frames.values.nbytes / 2**20
    print(f"\n{n_clips} clips: output {size:.0f} MiB, peak {peak:.0f}, {peak - size:.0f} beyond it")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--force", action="store_true", help="measure on a busy machine too")
    parser.add_argument("--memory", action="store_true", help="peak memory of 2400 clips instead of speed")
    arguments = parser.parse_args()
    harness.describe_machine("librosa", "scipy", force=arguments.force)
    if arguments.memory:
        memory()
    else:
        compare()
        where_time_goes()


if __name__ == "__main__":
    main()
