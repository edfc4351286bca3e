"""Claims that are measured, a file each; their pages are in docs/studies/."""
