"""How staff sign in: the password, then the second factor."""
