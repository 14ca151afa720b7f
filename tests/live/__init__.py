"""Races and crashes on the server as `make run` starts it, over real sockets."""
