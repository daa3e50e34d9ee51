"""Folder layouts: one pure function each from a relative path to what the path says of the recording.

A new one is one file with a `parse` and a `LAYOUT`, one line below, and one strategy in the tests, which makes paths of
it and what they say.
"""

from asd_jax.datasets.layouts import any_folder, dcase2020, dcase2021, dcase2022, mimii, toyadmos
from asd_jax.datasets.layouts.layout import ClipName, Layout

__all__ = ["ANY_FOLDER", "REGISTRY", "RELEASES", "ClipName", "Layout"]

ANY_FOLDER = any_folder.LAYOUT
# Those that file names give away; any folder is what is left.
RELEASES = (dcase2020.LAYOUT, dcase2021.LAYOUT, dcase2022.LAYOUT, mimii.LAYOUT, toyadmos.LAYOUT)
REGISTRY = {layout.name: layout for layout in (*RELEASES, ANY_FOLDER)}
# The later releases are laid out as that of 2022, and may be called by their own names.
REGISTRY |= {f"dcase{year}": dcase2022.LAYOUT for year in range(2023, 2027)}
