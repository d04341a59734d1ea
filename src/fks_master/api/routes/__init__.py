"""The routes, one noun a file: a class with the handlers and `endpoints()`, its part of the table."""
