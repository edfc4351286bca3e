"""Studies, one file per measured claim; their pages are in docs/studies/."""
