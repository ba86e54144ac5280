"""Which tests play which threat, and what no test plays yet."""
