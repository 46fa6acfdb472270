"""The PostgreSQL server that stands for Redshift's engine, its databases, and what they hold of Redshift."""
