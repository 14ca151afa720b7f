"""Security events: what happened that somebody may have to know of later."""
