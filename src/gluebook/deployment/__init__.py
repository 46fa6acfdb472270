"""Build artefacts, the template, and the laptop that they are deployed to."""
