"""What a detector can hear through, by name."""

from asd_jax.features.front_end import FrontEnd
from asd_jax.features.samples import Samples

AnyFrontEnd = FrontEnd | Samples
FRONT_ENDS = {kind.kind: kind for kind in (FrontEnd, Samples)}
