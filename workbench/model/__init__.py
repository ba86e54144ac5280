"""What exists: ids, instants, events, commands, evidence and errors, as frozen values with no I/O and no clock."""
