"""The tests; one package, so that its parts find each other by their full names."""
