"""Reads amounts of money as people type them."""


def parse_amount(text: str) -> float:
    """An amount such as `12.50`; ValueError when `text` is not one."""
    return float(text.strip().replace(",", ""))
