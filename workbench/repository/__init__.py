"""Git on the host: read, fetch, merge and undo, obeying nothing that a repository configures."""
