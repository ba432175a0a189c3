"""Whether a paper, a module and a definition belong together: what each was made from, read and compared."""
