"""The Agent Execution Environment: where agents work, apart from the human's own checkout."""
