"""What the pages of the staff admin have in common: their base, their records, the door."""
