"""DataFrame in, DataFrame out: the shared verbs, and one file per source."""
