"""The journey of signing in, and of proving once more who one is."""
