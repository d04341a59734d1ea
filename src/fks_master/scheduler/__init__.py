"""When each service is looked at, and the loop that looks."""
