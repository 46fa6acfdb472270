"""Expectation suites, the gate they make, and the counts that must reconcile."""
