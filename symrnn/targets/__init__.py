"""Cell -> module: derive, lower, improve, print; a folder for each target."""
