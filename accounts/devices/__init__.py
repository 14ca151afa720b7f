"""Known and trusted devices: their tokens, cookie and names."""
