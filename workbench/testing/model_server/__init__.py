"""A scripted model server over real HTTP, in place of every vendor's API: for tests, and for people without a key."""
