"""Expected against received: read, match, explain, close."""
