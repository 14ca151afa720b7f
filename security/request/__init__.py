"""What is known of a request before it is judged: its id, sender, credentials and actor."""
