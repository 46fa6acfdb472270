"""Does AWS answer as the laptop does? Probes that ask both the same questions.

    make verify-aws                    asks the account that your credentials open; less than a dollar, cleans up
    make verify-aws ENDPOINT=laptop    asks the laptop; a test does so, too

`expected.json` holds, for each probe, the answer that AWS's documentation promises, and the page. A laptop that
answers otherwise fails the test. Where an account answers otherwise, it is written to `differences.json`, which the
test reads: then teach the stand-in, or list the difference in docs/aws-behaviour.md.

kit.py: clients, roles and cleaning up. One file of probes per service. answers.py: comparing.
"""
