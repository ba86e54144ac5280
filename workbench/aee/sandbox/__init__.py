"""Where commands run that we do not trust, one level per file."""
