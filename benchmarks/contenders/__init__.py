"""Contenders, one module per framework; each is imported only in its own worker process."""
