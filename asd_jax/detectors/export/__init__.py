"""A detector becomes one file that scores anywhere: front end, network, scorer and threshold as one program.

`contents` makes the file, `check.compare` holds what it says against the detector.
"""

from asd_jax.detectors.export.program import Program, exportable
from asd_jax.detectors.export.written import FORMATS, contents

__all__ = ["FORMATS", "Program", "contents", "exportable"]
