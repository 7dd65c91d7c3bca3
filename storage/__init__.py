"""The DuckDB store: migrations, loads, publishing and queries. Nothing else imports DuckDB."""
