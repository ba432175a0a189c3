"""What it means that two functions are the same: the one notion behind `equal`, `prove` and `equivalent`."""
