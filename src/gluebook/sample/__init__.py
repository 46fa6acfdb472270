"""Demo data: ticket exports and application logs, with the truth about them.

The files have the layouts of a ServiceNow incident export and of a MongoDB log; their content is
invented, and as messy as the real thing. Each file comes with the counts a correct pipeline must reach, so
that a demo or a test can compare what is in the warehouse with what was put in.

    sample = generate(seed=7)
    write(sample, Path("demo"))                      # demo/<key> and demo/truth.json

For sizes that should not be held in memory, `write_files(iter_files(tickets=100_000), folder)` makes and
writes one file at a time and returns the same truth.
"""

from gluebook.sample.generate import generate, iter_files
from gluebook.sample.truth import Counts, FileTruth, Sample, SampleFile, Truth
from gluebook.sample.write import TRUTH_FILE, write, write_files

__all__ = [
    "TRUTH_FILE",
    "Counts",
    "FileTruth",
    "Sample",
    "SampleFile",
    "Truth",
    "generate",
    "iter_files",
    "write",
    "write_files",
]
