"""Running `docker compose`: what may be asked, which files and environment it gets, and how it is called."""
