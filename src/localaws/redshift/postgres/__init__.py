"""The PostgreSQL server that serves as Redshift's engine, its databases, and Redshift's functions in them."""
