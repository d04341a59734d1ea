"""What is known of each service, and the one place where it changes."""
