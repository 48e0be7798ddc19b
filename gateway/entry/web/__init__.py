"""HTTP: the API, the notices, the pages."""
