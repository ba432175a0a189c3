"""The classes of mistakes in a backward pass, one file each."""
