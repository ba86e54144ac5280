"""The screens: what a person sees of the journal, and the keys that decide. They know the wiring, never the AEE."""
