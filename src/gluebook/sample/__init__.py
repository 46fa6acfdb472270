"""Generated ticket exports and application logs, with the counts that a correct pipeline must reach.

The files have the layouts of a ServiceNow incident export and of a MongoDB log; their content is invented, with the
faults of real files. The demo and the tests compare the warehouse with the known truth of each file.

    sample = generate(Request(seed=7))
    write(sample, Path("demo"))                      # demo/<key> and demo/truth.json

For samples larger than memory, `write_files(iter_files(Request(tickets=100_000)), folder)` generates and writes one
file at a time and returns the same truth.
"""

from gluebook.sample.generate import generate, iter_files
from gluebook.sample.layout import Request
from gluebook.sample.truth import Counts, FileTruth, Sample, SampleFile, Truth
from gluebook.sample.write import TRUTH_FILE, write, write_files

__all__ = [
    "TRUTH_FILE",
    "Counts",
    "FileTruth",
    "Request",
    "Sample",
    "SampleFile",
    "Truth",
    "generate",
    "iter_files",
    "write",
    "write_files",
]
