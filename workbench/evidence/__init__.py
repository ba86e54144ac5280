"""Built-in collectors, one per file: they run checks on a change and report what came of them."""
