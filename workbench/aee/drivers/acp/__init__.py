"""The driver for agents that speak the Agent Client Protocol: programs of others, confined as a whole."""
