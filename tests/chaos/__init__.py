"""Chaos: complete life cycles of files under faults, compared with an oracle that knows only what was put into S3.

oracle      the expected contents of warehouse and lake; imports nothing of the pipeline
world       the AWS around the pipeline: events, queue, job runs, statements, clock (things, product)
baton       runs one actor at a time, and stops or kills it at a call (doors, warehouse)
engine      a job run without Spark; redshift: the product's SQL on PostgreSQL
schedule    generates steps from a seed; steps: runs them; shrink: finds the shortest failing schedule
settle      runs all actors until no work is left; compare: with the oracle
play        plays one schedule; report: sums up many; `python -m chaos --runs 2000 --seed 1`
"""
