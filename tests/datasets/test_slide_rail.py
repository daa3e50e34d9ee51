"""The physics of the synthetic slide rail: what should sound when, and what each fault should change."""

import numpy as np
import pytest
import scipy.signal

from asd_jax.datasets import slide_rail, slide_rail_faults, sound_sources
from asd_jax.datasets.factory_noise import factory_noise
from asd_jax.datasets.slide_rail import ACCELERATION, FRICTION_BAND, SLIDE_RAILS
from asd_jax.datasets.slide_rail_faults import Fault
from asd_jax.datasets.sound_sources import CONTROL_HOP

SIZE = {"n_samples": 160_000, "sample_rate": 16_000}
RATE = SIZE["sample_rate"]


def steady_motion(rail, *, phase=0.3, pace=1.0):
    count = slide_rail.n_strokes(rail, 10.0)
    rest = np.full(count, rail.rest_seconds)
    return slide_rail.move(rail, np.full(count, pace), rest, phase=phase, **SIZE)


def position_at(rail, motion, times):
    """Position of the carriage: its integrated speed, anchored where a stroke begins."""
    first = np.flatnonzero(motion.start > 0)[0]
    sample_times = np.arange(SIZE["n_samples"]) / RATE
    stroke = np.clip(np.searchsorted(motion.start, sample_times, side="right") - 1, 0, None)
    velocity = np.where(motion.forward[stroke], 1.0, -1.0) * sound_sources.to_samples(motion.speed, 160_000)
    travelled = np.cumsum(velocity) / RATE / ((1.0 - ACCELERATION) * rail.stroke_seconds)
    anchor = np.searchsorted(sample_times, motion.start[first])
    position = travelled - travelled[anchor] + (0.0 if motion.forward[first] else 1.0)
    return position[np.round(times * RATE).astype(int)]


def onsets(sound, *, share, seconds):
    """Times at which a sound exceeds a share of its peak after at least `seconds` below it."""
    loud = np.flatnonzero(np.abs(sound) > share * np.abs(sound).max())
    return loud[np.concatenate([[True], np.diff(loud) > seconds * RATE])] / RATE


def band_power_db(sound, low, high):
    frequency, power = scipy.signal.welch(sound, RATE, nperseg=2048)
    return 10.0 * np.log10(np.mean(power[(frequency >= low) & (frequency <= high)]))


@pytest.fixture(params=sorted(SLIDE_RAILS))
def rail(request):
    return SLIDE_RAILS[request.param]


def test_carriage_runs_from_end_to_end_and_back(rail):
    motion = steady_motion(rail)
    inside = motion.reversal[(motion.reversal > 0) & (motion.reversal < 9.9)]
    ends = position_at(rail, motion, inside)
    np.testing.assert_allclose(np.abs(np.diff(ends)), 1.0, atol=0.01)
    np.testing.assert_allclose(np.minimum(np.abs(ends), np.abs(1 - ends)), 0.0, atol=0.01)
    np.testing.assert_allclose(np.diff(inside), rail.stroke_seconds + rail.rest_seconds)
    assert motion.speed.min() == 0.0 and motion.speed.max() == pytest.approx(1.0)


@pytest.mark.parametrize("position", [0.15, 0.5, 0.85])
def test_crossings_are_where_the_position_says(rail, position):
    motion = steady_motion(rail, pace=1.1)
    times = motion.crossing(position)
    times = times[(times > 0) & (times < 10)]
    np.testing.assert_allclose(position_at(rail, motion, times), position, atol=0.01)


def test_every_clip_is_filled_with_strokes_however_fast(rail):
    motion = steady_motion(rail, phase=0.999, pace=0.1)  # clamped to a half
    assert motion.start[-1] > 10.0


def test_knocks_come_at_reversals_and_hum_only_in_motion(rail):
    motion = steady_motion(rail)
    levels = np.ones((1 + len(rail.joints), len(motion.start)))
    knocks = slide_rail.knocks_and_ticks(rail, motion, levels, **SIZE)
    expected = motion.reversal[(motion.reversal > 0) & (motion.reversal < 9.9)]
    heard = onsets(knocks, share=0.3, seconds=0.3)
    heard = heard[(heard > 0.02) & (heard < 9.9)]
    np.testing.assert_allclose(heard, expected, atol=0.01)

    hum = slide_rail.hum(rail, motion, level=1.0, start=0.0, **SIZE)
    speed = sound_sources.to_samples(motion.speed, SIZE["n_samples"])
    assert np.all(hum[speed == 0.0] == 0.0)
    assert np.sqrt(np.mean(hum[speed > 0.99] ** 2)) == pytest.approx(rail.hum, rel=0.05)
    frequency, power = scipy.signal.welch(hum, RATE, nperseg=16_000)
    strongest = rail.hum_hz * (1 + np.argmax(rail.hum_harmonics_db))
    assert frequency[np.argmax(power)] == pytest.approx(strongest, abs=3.0)


def test_rolling_noise_has_unit_level_and_the_stated_friction_band(rail):
    motion = steady_motion(rail)
    speed = sound_sources.to_samples(motion.speed, SIZE["n_samples"])
    quiet, loud = (
        slide_rail.roll(rail, motion, np.random.default_rng(0), friction_db=db, **SIZE).sound(160_000)
        for db in (-60.0, -10.0)
    )
    assert np.sqrt(np.mean(quiet[speed > 0.99] ** 2)) == pytest.approx(1.0, rel=0.1)
    assert 10.0 * np.log10(np.mean(loud**2) / np.mean(quiet**2) - 1.0) == pytest.approx(-10.0, abs=0.5)
    assert band_power_db(loud, *FRICTION_BAND) > band_power_db(quiet, *FRICTION_BAND) + 3.0
    assert np.mean(quiet[speed == 0.0] ** 2) < 0.05


def test_microphone_hears_the_direct_sound_and_one_reflection(rail):
    impulse = np.zeros(1000, dtype=np.float32)
    impulse[0] = 1.0
    heard = slide_rail.at_microphone(rail, impulse, sample_rate=RATE)
    direct, reflected = np.flatnonzero(heard)
    path = np.hypot(rail.distance, 2 * rail.height)
    assert direct == 0 and heard[0] == pytest.approx(0.5 / rail.distance)
    assert reflected / RATE == pytest.approx((path - rail.distance) / 343.0, abs=1.0 / RATE)
    assert heard[reflected] == pytest.approx(0.25 / path)


def test_rail_damage_clicks_at_one_stretch_of_the_rail(rail):
    motion = steady_motion(rail)
    clicks = slide_rail_faults.rail_damage(rail, motion, 1.0, np.random.default_rng(4), **SIZE)
    times = onsets(clicks, share=0.25, seconds=0.2)
    times = times[(times > motion.start[motion.start > 0][0]) & (times < 9.9)]
    positions = position_at(rail, motion, times)
    assert len(times) >= 10.0 / (rail.stroke_seconds + rail.rest_seconds) - 2.5  # in every stroke, both ways
    assert np.ptp(positions) < 0.03 * 9  # the first pit there and the last pit back
    assert positions.min() > 0.125 and positions.max() < 0.875
    assert np.abs(clicks).max() > 0.5 * rail.knock


def test_loose_belt_wanders_and_rattles_when_the_speed_changes(rail):
    spread = [
        np.std(slide_rail_faults.loose_timing(severity, np.random.default_rng(0), 200)[0])
        for severity in (0.0, 0.25, 0.5, 1.0)
    ]
    assert spread[0] == 0.0
    np.testing.assert_allclose(spread[1:], [0.02, 0.04, 0.08], rtol=0.25)  # 0.06 / sqrt(1 − 0.7²) at severity 1

    motion = steady_motion(rail)
    rattle = slide_rail_faults.belt_rattle(rail, motion, 1.0, np.random.default_rng(0), **SIZE)
    speed = sound_sources.to_samples(motion.speed, SIZE["n_samples"])
    changing = (speed > 0.05) & (speed < 0.95)
    assert np.mean(rattle[changing] ** 2) > 3.0 * np.mean(rattle[speed > 0.99] ** 2)
    assert band_power_db(rattle, 200, 2000) > band_power_db(rattle, 3000, 8000) + 20.0


def test_no_grease_raises_the_friction_band_and_squeals(rail):
    motion = steady_motion(rail)
    rolling = slide_rail.roll(rail, motion, np.random.default_rng(0), friction_db=-16.0, **SIZE)
    healthy = rolling.sound(SIZE["n_samples"])
    rise, low = [], []
    for severity in (0.0, 0.5, 1.0):
        dry = healthy + slide_rail_faults.dry_friction(motion, rolling, severity, np.random.default_rng(1), **SIZE)
        rise.append(band_power_db(dry, 3700, 6000) - band_power_db(healthy, 3700, 6000))  # above the squeal
        low.append(band_power_db(dry, 50, 1000) - band_power_db(healthy, 50, 1000))
    assert rise[0] == 0.0 and 3.0 < rise[1] < 7.6 and 10.0 < rise[2] < 15.1
    np.testing.assert_allclose(low, 0.0, atol=0.5)

    squeal = slide_rail_faults.dry_friction(
        motion,
        slide_rail.Rolling(rolling.excitation, rolling.body, np.zeros_like(rolling.friction)),
        1.0,
        np.random.default_rng(1),
        **SIZE,
    )  # no friction band to rise: the squeal is left
    frequency, power = scipy.signal.welch(squeal, RATE, nperseg=2048)
    loudest = frequency[np.argmax(power)]
    assert 1600.0 < loudest < 3400.0
    assert power[np.abs(frequency - loudest) < 200.0].sum() > 0.8 * power.sum()
    speed = sound_sources.to_samples(motion.speed, SIZE["n_samples"])
    assert np.abs(squeal[(speed == 0.0) | (speed == 1.0)]).max() < 1e-3


def test_factory_noise_falls_as_stated():
    settings = {"colour_db": 0.0, "clanks_per_second": 0.0, **SIZE}
    noise = factory_noise(np.random.default_rng(0), slope_db=4.0, **settings)
    assert np.sqrt(np.mean(noise**2)) == pytest.approx(1.0, rel=1e-4)
    levels = [band_power_db(noise, 0.8 * centre, 1.25 * centre) for centre in (500, 1000, 2000, 4000)]
    np.testing.assert_allclose(np.diff(levels), -4.0, atol=0.5)


@pytest.mark.parametrize("kind, severity", [("rust", 0.5), ("no_grease", 1.5), ("no_grease", -0.1)])
def test_faults_that_do_not_exist_are_errors(kind, severity):
    with pytest.raises(ValueError, match=r"no fault|severity"):
        Fault(kind, severity)


def test_curves_are_joined_by_straight_lines():
    curve = np.array([0.0, 1.0, 0.0])
    expected = np.interp(np.arange(2 * CONTROL_HOP - 3) / CONTROL_HOP, np.arange(3), curve)
    np.testing.assert_allclose(sound_sources.to_samples(curve, 2 * CONTROL_HOP - 3), expected, atol=1e-12)


def test_a_tone_has_its_frequency_and_unit_rms():
    tone = sound_sources.tone(np.full(1001, 250.0), (0.0,), start=0.25, n_samples=16_000, sample_rate=RATE)
    expected = np.sqrt(2.0) * np.exp(2j * np.pi * 250.0 * np.arange(16_000) / RATE)
    assert np.abs(np.mean(tone * expected.conj())) == pytest.approx(1.0, abs=1e-3)
    assert np.sqrt(np.mean(tone**2)) == pytest.approx(1.0, abs=1e-3)


def test_impacts_outside_the_clip_ring_only_as_far_as_they_reach():
    response = np.array([4.0, 3.0, 2.0, 1.0], dtype=np.float32)
    sound = np.zeros(6, dtype=np.float32)
    times = np.array([-10.0, -2.0, 1.0, 5.0, 6.0])
    sound_sources.strike(sound, times, np.array([1.0, 1.0, 10.0, 1.0, 1.0]), response, sample_rate=1)
    np.testing.assert_array_equal(sound, [2.0, 41.0, 30.0, 20.0, 10.0, 4.0])
