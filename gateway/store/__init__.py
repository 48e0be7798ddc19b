"""PostgreSQL: tables, transactions and leased work."""
