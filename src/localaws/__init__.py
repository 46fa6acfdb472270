"""AWS on a laptop: the services a data pipeline uses, deployed to with the plain AWS CLI.

Knows nothing of the pipeline that runs on it. Whatever it doesn't know, it refuses, by name.
"""
