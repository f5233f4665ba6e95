"""The verbs of the command line, one module each. Nothing heavy is imported before a verb runs."""
