"""Our tools for agents that are programs of others, served by the Model Context Protocol."""
