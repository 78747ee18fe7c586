"""PostgreSQL: one transaction helper, readers that cannot write, a schema and a role for each service."""

from shared.database.connection import Database, Reader, Transaction
from shared.database.rows import from_row

__all__ = ["Database", "Reader", "Transaction", "from_row"]
