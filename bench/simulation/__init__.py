"""A day of files through the product's own decisions, on a simulated clock: `python -m bench.simulate`.

world.py      what happens when: arrivals, queue, functions, job runs, statements, schedules
functions.py  the real admit, load and sweep functions;  job.py: a job run: real claim, count and publish, no rows
ledger.py     the real ledger over DynamoDB in memory, metered;  store.py, warehouse.py: S3, Data API, Glue, catalog
deployed.py   parameters and limits of infra/pipeline.yaml;  limits.py: AWS's limits, each with its source
options.py    what may be varied;  measured.py: what bench/results says;  arrivals.py: which file comes when
meter.py      use of the limits;  outcome.py: the figures;  page.py: docs/scale.md

Nothing here decides anything that the product decides.
"""
