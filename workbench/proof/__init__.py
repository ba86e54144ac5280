"""Proofs of packs that outlast the journal: statements, their signatures, and where git keeps them."""
