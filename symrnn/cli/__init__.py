"""The command line: arguments -> one call each -> exit code."""
