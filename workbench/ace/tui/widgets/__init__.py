"""Widgets paint lines and emit intents; they decide nothing and know no journal."""
