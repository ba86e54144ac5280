"""Commands into events: pure functions that either say what happens or refuse with a reason."""
