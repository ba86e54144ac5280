"""Laws of a brief, tried with many values: who makes the values, who tries them, and what comes of it."""
