"""The kernel: what every record of a team has, and what works on all of them."""
