"""`tfgen reproduce`: Tables 2 to 4 over paired seeds, from the runs to their records and pages."""
