"""Gluebook beside other ways to do the same work, on the same input, in the same run: `make bench`.

__main__.py      the command: inputs, repetitions, contenders in turn
inputs.py        raw files, made of real lines
task.py          what a contender is given and gives back; imports nothing but the standard library
child.py         the process of one contender, timed from its start
contenders/      one file each; only the process of a contender imports its module
frames.py        cleaning with pandas, for pandas and dlt;  loading.py: Parquet to PostgreSQL
agreement.py     what the tables must agree on
measuring.py     peak memory of a process and all that it started
running.py       a contender's process, and Ctrl-C;  results.py: medians, cost;  page.py: docs/performance.md

README.md says what all of them do to the input. `gate.py` and `retraction.py` are programs of their own, and so
is `simulate.py` with `simulation/`, which measures nothing.
"""
