"""The world: outbound HTTP, keys, clocks, the embedded PostgreSQL."""
