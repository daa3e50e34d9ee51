import matplotlib.image
import numpy as np
import pytest
import soundfile


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("clips") / "hum.wav"
    time = np.arange(24_000) / 16_000
    soundfile.write(path, 0.3 * np.sin(2 * np.pi * 440 * time), 16_000)
    return path


def test_draws_every_panel(clip, run_script, tmp_path):
    status, _, stderr = run_script("show_features", f"--clip={clip}", f"--out={tmp_path}/new/hum.png")
    assert status == 0, stderr
    picture = matplotlib.image.imread(tmp_path / "new" / "hum.png")[..., :3]
    # Each of six panels has ink: no sixth of the picture is one colour.
    for panel in np.array_split(picture[50:], 6):
        assert panel.std() > 0.05


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--clip=nothing.wav",), "error: --clip and --out are needed"),
        (("--clip=nothing.wav", "--out=x.png"), "error: nothing.wav cannot be read as audio (no such file)"),
        (("--clip=x.wav", "--out=x.png", "--preset=vggish"), "choose dcase, librosa, torchaudio"),
    ],
)
def test_mistakes_are_one_line(arguments, message, run_script):
    status, _, stderr = run_script("show_features", *arguments)
    assert status == 1
    assert message in stderr and len(stderr.splitlines()) == 1
