"""A picture of one recording as the front ends see it: `python -m experiments.show_features --clip=FILE --out=PNG`.

From top to bottom: waveform, power spectrogram, log-mel, MFCC, CENS chroma, and the overlapping slices that `frames`
cuts from the log-mel.
"""

from typing import TYPE_CHECKING

from absl import flags

from asd_jax.errors import InputError
from experiments import launch

if TYPE_CHECKING:  # matplotlib and JAX are imported late, so that --help answers at once
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from asd_jax.features import FrontEnd

FLAGS = flags.FLAGS

launch.adopt("out", "preset", "channel", "frame_seconds", "overlap", "debug")
flags.DEFINE_string("clip", None, "Recording to show, in any format that soundfile reads.")

_PITCH_CLASSES = ["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"]
_ROWS = 3  # of bars: a slice overlaps its neighbours, not the one three further on unless told to
_BAR = "#7fffd4"


def _image(axes: "Axes", values: "np.ndarray", times: "np.ndarray", rows: "np.ndarray", **style: object) -> object:
    """Values `(n_frames, n_rows)` over time, rows from the bottom up."""
    return axes.pcolormesh(times, rows, values.T, shading="nearest", rasterized=True, **style)


def _draw_slices(axes: "Axes", front_end: "FrontEnd", n_frames: int) -> None:
    """Bars in three staggered rows, one for each slice, from its first frame to its last."""
    import jax.numpy as jnp
    import numpy as np

    from asd_jax import features

    duration = n_frames * front_end.hop_length / front_end.sample_rate
    if not FLAGS.frame_seconds > 0.01:
        raise InputError(f"--frame_seconds={FLAGS.frame_seconds:g}: give more than 0.01 s")
    if FLAGS.frame_seconds > duration:
        raise InputError(f"--frame_seconds={FLAGS.frame_seconds:g} is more than the clip's {duration:.2f} s; take less")
    starts = np.asarray(
        features.frames(
            jnp.arange(n_frames, dtype=jnp.float32)[:, None],
            frame_seconds=FLAGS.frame_seconds,
            overlap=FLAGS.overlap,
            sample_rate=front_end.sample_rate,
            hop_length=front_end.hop_length,
        )
    )[..., 0]
    frame = front_end.hop_length / front_end.sample_rate
    bottom, top = axes.get_ylim()
    axes.axhspan(bottom, top, color="black", alpha=0.35, lw=0)  # so that the bars stand out
    for index, numbers in enumerate(starts):
        height = bottom + (top - bottom) * (index % _ROWS + 0.4) / _ROWS
        begin, end = max(0.0, (numbers[0] - 0.5) * frame), (numbers[-1] + 0.5) * frame
        axes.plot([begin, end], [height, height], "|-", color=_BAR, lw=2, ms=9, mew=2, clip_on=False)
        if len(starts) <= 40 or index % (5 * _ROWS) < _ROWS:
            axes.text((begin + end) / 2, height, index, color=_BAR, ha="center", va="bottom", fontsize=9)
    last = (starts[-1, -1] + 0.5) * frame
    axes.axvspan(last, axes.get_xlim()[1], color="black", alpha=0.6, lw=0)
    length, step = starts.shape[1], int(starts[1, 0] - starts[0, 0]) if len(starts) > 1 else 0
    axes.set_title(
        f"Slices: {len(starts)} of {length} frames ({length * frame:.2f} s) every {step} frames; "
        "what is darkened is left out (tail='drop')"
    )


def _picture(name: str, samples: "np.ndarray", preset: str) -> "Figure":
    import jax.numpy as jnp
    import librosa
    import matplotlib.pyplot as plt
    import numpy as np

    from asd_jax import features

    def compute(feature: str) -> np.ndarray:
        return np.asarray(features.FrontEnd.from_names(feature, preset=preset)(jnp.asarray(samples)))

    front_end = features.FrontEnd.from_names("log_mel", preset=preset)
    log_mel = compute("log_mel")
    decibels = np.asarray(features.power_to_db(jnp.asarray(compute("spectrogram")), top_db=100.0))
    times = np.arange(len(log_mel)) * front_end.hop_length / front_end.sample_rate
    fmax = front_end.fmax or front_end.sample_rate / 2
    mels = np.arange(front_end.n_mels)
    centres = librosa.mel_frequencies(front_end.n_mels + 2, fmin=front_end.fmin, fmax=fmax, htk=front_end.htk)[1:-1]
    hertz = np.asarray([100, 500, 1000, 2000, 4000, 8000, 11000])
    hertz = hertz[(hertz >= centres[0]) & (hertz <= centres[-1])]

    figure, rows = plt.subplots(
        6, 1, figsize=(12, 15), sharex=True, layout="constrained", height_ratios=[1, 1.5, 1.5, 1, 1, 1.5]
    )
    seconds = len(samples) / front_end.sample_rate
    figure.suptitle(f"{name}   {seconds:.2f} s at {front_end.sample_rate} Hz, preset {preset}", fontsize=13)

    rows[0].plot(np.arange(len(samples)) / front_end.sample_rate, samples, lw=0.4, color="#1f4e79")
    rows[0].set(title="Waveform", ylabel="amplitude\n(1 is full scale)")
    rows[0].grid(alpha=0.3)

    bins = np.arange(decibels.shape[1]) * front_end.sample_rate / front_end.n_fft / 1000
    quietest = np.percentile(decibels, 1)  # single bins of noise reach far down and would take the colours
    image = _image(rows[1], decibels, times, bins, cmap="magma", vmin=quietest)
    rows[1].set(title="Power spectrogram", ylabel="frequency (kHz)")
    figure.colorbar(image, ax=rows[1], label="dB", pad=0.01, extend="min")

    for axes in (rows[2], rows[5]):
        image = _image(axes, log_mel, times, mels, cmap="magma")
        axes.set_yticks(np.interp(hertz, centres, mels), [f"{value:g}" for value in hertz / 1000])
        axes.set_ylabel("frequency (kHz, mel scale)")
        figure.colorbar(image, ax=axes, label="dB" if front_end.log == "db" else "natural log", pad=0.01)
    rows[2].set_title(f"Log-mel, {front_end.n_mels} bands")

    # The 0th coefficient is the loudness and the 1st the tilt, many times the others: they would leave the rest pale.
    mfcc = compute("mfcc")[:, 1:]
    limit = np.percentile(np.abs(mfcc[:, 1:]), 99)
    image = _image(rows[3], mfcc, times, np.arange(1, mfcc.shape[1] + 1), cmap="RdBu_r", vmin=-limit, vmax=limit)
    rows[3].set(title="MFCC, without the 0th (loudness)", ylabel="coefficient", yticks=range(1, mfcc.shape[1] + 1, 3))
    figure.colorbar(image, ax=rows[3], label="dB", pad=0.01, extend="both")

    image = _image(rows[4], compute("cens"), times, np.arange(12), cmap="viridis", vmin=0)
    rows[4].set_yticks(range(12), _PITCH_CLASSES, fontsize=7)
    rows[4].set(title="CENS chroma", ylabel="pitch class")
    figure.colorbar(image, ax=rows[4], label="share (unit norm)", pad=0.01)

    rows[5].set(xlabel="time (s)", xlim=(0, seconds))
    _draw_slices(rows[5], front_end, len(log_mel))
    return figure


def main(arguments: list[str]) -> None:
    """Draw the clip that the flags name."""
    launch.no_arguments(arguments)
    if not FLAGS.clip or not FLAGS.out:
        raise InputError("--clip and --out are needed: the recording to show and the picture to write")
    import matplotlib as mpl

    mpl.use("Agg")
    from asd_jax.datasets.audio import read_audio
    from asd_jax.features import PRESETS

    if FLAGS.preset not in PRESETS or not PRESETS[FLAGS.preset].center:
        centred = [name for name, settings in PRESETS.items() if settings.center]
        raise InputError(f"--preset={FLAGS.preset} cannot be shown beside CENS; choose {', '.join(centred)}")
    clip, out = launch.folder("clip"), launch.folder("out")
    samples = read_audio(clip, sample_rate=PRESETS[FLAGS.preset].sample_rate, channel=FLAGS.channel or "mix")
    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        _picture(clip.name, samples, FLAGS.preset).savefig(out, dpi=110)
    except ValueError as error:
        raise InputError(f"{clip}: {error}") from error
    print(f"wrote {out}")


if __name__ == "__main__":
    launch.run(main)
