"""Recordings as clips with labels and a way to read each: of releases, any folder, or synthetic machines.

What comes out is a `Dataset`: the `Clip`s of one machine type and a function that gives a clip's waveform. `DataConfig`
says which recordings, `open_dataset` lists them, and `extraction.extract` computes their frames.

Names are imported when they are first used: an exported detector knows clips, and neither JAX nor files.
"""

from asd_jax import late

__getattr__, __dir__ = late(
    __name__,
    {
        "NAMES": "config",
        "Clip": "clips",
        "Cutting": "cutting",
        "DataConfig": "config",
        "Dataset": "clips",
        "Extracted": "extraction",
        "Machine": "clips",
        "canonical_machine": "machines",
        "embedded_machines": "embeddings",
        "extract": "extraction",
        "from_waveforms": "in_memory",
        "machines_in": "opening",
        "only_embedded_machine": "embeddings",
        "only_machine": "opening",
        "open_dataset": "opening",
    },
)
