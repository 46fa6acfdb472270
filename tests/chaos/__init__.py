"""Chaos: whole lives of files under faults, held against an oracle that knows only what was put into S3.

oracle      what must be in warehouse and lake; imports nothing of the pipeline
world       the AWS around the pipeline: events, queue, job runs, statements, clock (things, product)
baton       who moves: one actor at a time, stopped and killed at calls (doors, dynamo, warehouse)
engine      a job run without Spark; redshift: the product's SQL on PostgreSQL
schedule    a seed makes a list of steps; steps: what they do; shrink: the shortest that still fails
settle      until nobody has anything left to do; compare: against the oracle
play        all of it, for one schedule; report: for many; `python -m chaos --runs 2000 --seed 1`
"""
