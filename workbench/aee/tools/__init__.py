"""What an agent may do, one tool per file, all confined to its workspace."""
