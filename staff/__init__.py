"""The admin of staff: the site, its sign-in, its pages of everybody's models, its look."""
