"""What a change means in the terms of its language: entities, moves, renames, formats. Text in, values out; no I/O."""
