"""Every grant of the template: who used it in the scenario, and what is refused without it.

template    the grants as the template writes them
deployed    the same as they are deployed, both side by side
recording   what the scenario used, as a file
removing    recorded requests without one grant; the chain without one grant
page        docs/grants.md
"""
