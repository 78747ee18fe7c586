"""PostgreSQL: one transaction helper, readers that cannot write, a schema and a role for each service."""

from shared.database.connection import Database, Reader, Transaction

__all__ = ["Database", "Reader", "Transaction"]
