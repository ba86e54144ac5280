"""The composition root of the human's wing: what joins commands to journal, repository, settings and processes."""
