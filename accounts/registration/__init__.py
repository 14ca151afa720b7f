"""The journey of registering."""
