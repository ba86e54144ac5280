"""Source text as syntax trees: entities, structural changes and symbols. Text in, values out."""
