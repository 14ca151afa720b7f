"""A team, its members and its invitations."""
