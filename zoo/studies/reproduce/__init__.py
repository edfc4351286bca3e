"""`tfgen reproduce`: Tables 2 to 4 over paired seeds: runs, records and pages."""
