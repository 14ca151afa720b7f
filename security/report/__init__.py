"""What happened lately, in figures: one report, on a page of the admin and on a terminal."""
