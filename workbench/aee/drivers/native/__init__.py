"""Our own agent loop over the Anthropic Messages API, whoever serves it."""
