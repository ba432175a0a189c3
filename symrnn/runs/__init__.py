"""A cell over steps in any arithmetic: numbers and elements of a field."""
