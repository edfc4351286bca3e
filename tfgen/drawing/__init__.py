"""Everything that yields a picture."""
