"""The project: configuration, entry points, and what every app builds on."""
