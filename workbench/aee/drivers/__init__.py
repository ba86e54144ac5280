"""Adapters to kinds of agents, one per file; they never import each other."""
