"""Workbench: a terminal workbench for directing teams of coding agents and merging only what is proven."""

__version__ = "0.1.0"
