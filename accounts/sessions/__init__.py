"""Sessions: their start, their tokens, their refresh and their end."""
