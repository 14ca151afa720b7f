"""Demo data: two small real-estate teams."""
