"""What may be added from outside: a plain registry of drivers and collectors."""
