"""The append-only, hash-chained event log on SQLite, its projections and its blobs."""
