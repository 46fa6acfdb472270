"""All mutations, in the order of a file's life cycle."""

from __future__ import annotations

from chaos.mutants_batches import BATCHES
from chaos.mutants_files import FILES
from chaos.mutants_loads import LOADS

MUTATIONS = (*FILES, *BATCHES, *LOADS)
