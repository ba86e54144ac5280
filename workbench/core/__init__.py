"""What follows from what happened: folds, decisions, gate, staleness, inbox order and views. Pure: no I/O, no clock."""
