"""The demo's repository, as package data: a small shop, three briefs and three scripted agents."""
