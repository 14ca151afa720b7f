"""Rules over what happened: what looks like an attack becomes an event and a mail."""
