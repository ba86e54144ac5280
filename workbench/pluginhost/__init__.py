"""The plugin host: which plugins there are, which of them may run, and how they are called."""
