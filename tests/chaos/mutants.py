"""Each protection, and how to break it, in the order in which a file comes across them."""

from __future__ import annotations

from chaos.mutants_batches import BATCHES
from chaos.mutants_files import FILES
from chaos.mutants_loads import LOADS

MUTATIONS = (*FILES, *BATCHES, *LOADS)
