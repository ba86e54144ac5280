"""Small faults put into changed lines, and whether the tests notice them."""
