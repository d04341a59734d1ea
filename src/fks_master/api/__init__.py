"""The outside: REST, the live feed and the page."""
