"""The command line: one file per group of verbs; it never imports Textual."""
