"""Antiphon's model: data, training and export. `docs/model-interface.md` is the contract with the engine."""

import os

# OpenMP's threads spin while they wait by default, before torch is loaded. On a busy machine that made two threads five
# times slower than one (482 rows a second against 2,631 with the passive policy); on a free one it makes no difference.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
