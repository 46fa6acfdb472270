"""Gluebook: notebooks that become a running AWS pipeline."""
