"""What a detector can hear through, by name."""

from asd_jax.features.front_end import FrontEnd
from asd_jax.features.samples import Samples
from asd_jax.features.vectors import Vectors

AnyFrontEnd = FrontEnd | Samples | Vectors
FRONT_ENDS = {kind.kind: kind for kind in (FrontEnd, Samples, Vectors)}
