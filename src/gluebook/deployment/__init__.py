"""Build artefacts, parse the template, and record the running laptop."""
