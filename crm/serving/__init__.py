"""What starts the system and carries requests to it: `make run`, the web server, the worker."""
