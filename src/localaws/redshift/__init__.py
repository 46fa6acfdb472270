"""The Redshift Data API over PostgreSQL.

PostgreSQL executes; this package adds what Redshift would enforce and PostgreSQL doesn't (bytes in VARCHAR(n),
COPY's rules, the Data API's limits), removes what only Redshift has (keys that aren't enforced, distribution,
encodings), and refuses by name what it doesn't support.
"""

from localaws.redshift.errors import RedshiftError, UnsupportedSql
from localaws.redshift.postgres.server import Postgres
from localaws.redshift.serverless import ServerlessApi
from localaws.redshift.service import DataApi

__all__ = ["DataApi", "Postgres", "RedshiftError", "ServerlessApi", "UnsupportedSql"]
