"""Finds what a change does to the checks that judge it; it runs nothing and gives no verdict."""
