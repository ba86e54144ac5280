"""One screen a file; siblings never import each other."""
