"""Named settings of the front ends, every parameter fixed.

| preset | rate | n_fft | window | hop | bands | scale | logarithm |
|---|---|---|---|---|---|---|---|
| `dcase` | 16 kHz | 1024 | 1024 | 512 | 128, 0 to 8000 Hz | Slaney | dB, no floor but 1e-10 |
| `librosa` | 22.05 kHz | 2048 | 2048 | 512 | 128, 0 to 11025 Hz | Slaney | dB, 80 dB below each clip's largest |
| `torchaudio` | 16 kHz | 400 | 400 | 200 | 128, 0 to 8000 Hz | HTK, no norm | dB, no floor but 1e-10 |
| `vggish` | 16 kHz | 512 | 400 | 160 | 64, 125 to 7500 Hz | HTK over mels, no norm | natural, of magnitude + 0.01 |
| `efficientat` | 32 kHz | 1024 | 800 | 320 | 128, 0 to 15000 Hz | HTK over mels, no norm | natural, of power + 1e-5 |

`dcase` is the front end of the DCASE Task 2 baselines. `librosa` has the defaults of `librosa.feature`, of whose
`power_to_db` the floor is part. `torchaudio` has those of `MelSpectrogram` and `AmplitudeToDB`: frames reflected at the
ends, and 128 bands of which several hold no bin at that `n_fft` (which is warned of). `vggish` is the input of the
published VGGish network: whole frames only, each of 400 samples. `efficientat` is that of the EfficientAT networks:
pre-emphasis of 0.97, frames reflected at the ends, and a symmetric Hann window of 800 samples, which is a periodic one
of 799 and a zero.
"""

import dataclasses

from asd_jax.files import sparse


@dataclasses.dataclass(frozen=True)
class Settings:
    """What a front end does to a waveform; the defaults are the preset `dcase`.

    Attributes:
        sample_rate: samples a second, in Hz.
        n_fft, hop_length, win_length, center, pad_mode: as in `features.stft`, lengths in samples.
        preemphasis: how much of the sample before is taken away from each, which leaves one sample less; 0 for none.
        margin: zeros added at both ends of a waveform first, in samples.
        power: exponent of the magnitude.
        n_mels, fmin, fmax, htk, norm, triangles: as in `features.mel_filterbank`.
        log, amin, offset, top_db: as in `features.log_mel_spectrogram`.
        n_mfcc, lifter: as in `features.mfcc`.
    """

    sample_rate: int = 16_000
    n_fft: int = 1024
    hop_length: int = 512
    win_length: int | None = None
    center: bool = True
    pad_mode: str = "constant"
    margin: int = 0
    power: float = 2.0
    n_mels: int = 128
    fmin: float = 0.0
    fmax: float | None = None
    htk: bool = False
    norm: str | None = "slaney"
    triangles: str = "hz"
    log: str = "db"
    amin: float = 1e-10
    offset: float = 0.0
    top_db: float | None = None
    n_mfcc: int = 20
    lifter: float = 0.0
    preemphasis: float = sparse(0.0)


PRESETS = {
    "dcase": Settings(),
    "librosa": Settings(sample_rate=22_050, n_fft=2048, top_db=80.0),
    "torchaudio": Settings(n_fft=400, hop_length=200, pad_mode="reflect", htk=True, norm=None, n_mfcc=40),
    "vggish": Settings(
        n_fft=512,
        hop_length=160,
        win_length=400,
        center=False,
        margin=56,  # (n_fft - win_length) / 2: the window, centred in n_fft, then starts at the first sample
        power=1.0,
        n_mels=64,
        fmin=125.0,
        fmax=7500.0,
        htk=True,
        norm=None,
        triangles="mel",
        log="natural",
        offset=0.01,
    ),
    "efficientat": Settings(
        sample_rate=32_000,
        hop_length=320,
        win_length=799,
        pad_mode="reflect",
        fmax=15_000.0,
        htk=True,
        norm=None,
        triangles="mel",
        log="natural",
        offset=1e-5,
        preemphasis=0.97,
    ),
}
