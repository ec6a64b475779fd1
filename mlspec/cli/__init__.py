"""One file per verb; nothing heavy is imported until the verb runs."""
