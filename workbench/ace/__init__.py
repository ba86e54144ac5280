"""The Agent Command Environment: what people use to direct, consult with and audit agents."""
