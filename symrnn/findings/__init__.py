"""What a check of gradients found, as data, and how it is shown; knows nothing of how anything is found."""
