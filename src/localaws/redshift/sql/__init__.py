"""Redshift SQL ▸ PostgreSQL SQL. Pure: no connection, no clock. The entry is `rewrite.rewrite`."""
