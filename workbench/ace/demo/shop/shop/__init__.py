"""Amounts, request limits and retries of a web shop."""
