"""Who may do what: roles, scopes, permissions, the views that open a team, the door of staff."""
