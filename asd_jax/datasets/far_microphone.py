"""The synthetic slide rail with a second microphone, far from the machine, that hears it as much as it is told to."""

import numpy as np
from jaxtyping import Float

from asd_jax.datasets.factory_noise import factory_noise
from asd_jax.datasets.synthetic import SlideRailConfig, fault_of, parse_name, stream, synthesize_parts


def synthesize_pair(
    config: SlideRailConfig, file_name: str
) -> tuple[Float[np.ndarray, " n_samples"], Float[np.ndarray, " n_samples"]]:
    """Waveforms of the near microphone, that of `synthesize`, and of one far from the machine.

    The far one hears the factory's noise up to 2 ms earlier or later, partly the same sound and partly its own
    (`far_coherence`), and the machine 6 to 12 ms later, as loud as `far_bleed` says.
    """
    parts = synthesize_parts(config, file_name, fault_of(config, file_name))
    draw = stream(config, parse_name(file_name), "far")
    late, lead = (round(draw.uniform(*span) * config.sample_rate) for span in ((0.006, 0.012), (-0.002, 0.002)))
    own = factory_noise(
        draw,
        slope_db=config.noise_slope_db,
        colour_db=config.noise_colour_db,
        clanks_per_second=config.clanks_per_second,
        n_samples=config.n_samples,
        sample_rate=config.sample_rate,
    )
    own *= np.float32(np.sqrt((1.0 - config.far_coherence) * np.mean(parts.noise**2)))
    far = np.float32(np.sqrt(config.far_coherence)) * np.roll(parts.noise, lead) + own
    far[late:] += np.float32(config.far_bleed) * (parts.machine + parts.fault)[: config.n_samples - late]
    near = np.clip(parts.machine + parts.fault + parts.noise, -1.0, 1.0)
    return near, np.clip(far, -1.0, 1.0)
