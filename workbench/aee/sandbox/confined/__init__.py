"""What the supervisor of a Landlock job loads by itself: modules that import nothing of Workbench."""
