"""What is timed, one module a framework: each is imported only in its own worker process."""
