"""Rows: what a screen or a command shows of the folded states. Pure; the moment `now` comes from the caller."""
