"""The files that people and agents exchange: type, parse, check, render and digest, one noun per file."""
