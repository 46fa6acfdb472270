"""Does AWS answer as the laptop does? Probes that ask both the same questions.

    make verify-aws                    asks the account that your credentials open; less than a dollar, cleans up
    make verify-aws ENDPOINT=laptop    asks the laptop; a test does so, too

`expected.json` holds, for each probe, the answer that AWS's documentation promises, and the page. A laptop that
answers otherwise fails the test. Where an account answers otherwise, it is written to `differences.json`, which the
test reads: then teach the stand-in, or list the difference in docs/aws-behaviour.md. What only AWS can answer is
shown as `not asked`, with the reason.

A run leaves a statement to a run at least a day later, in `build/verify-aws.json`: it asks what is left of it.

kit.py         clients, roles and cleaning up
laptop.py      a laptop AWS to ask
answers.py     comparing
requests.py    which requests a role makes of S3
others         probes, a file for each service; spark.py: S3 as a job uses it; statements.py: the Data API over time
"""
