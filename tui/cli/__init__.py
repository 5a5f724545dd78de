"""The command line: the same calls as the console, for scripts. Knows the engine only by its client."""
