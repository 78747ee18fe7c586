from services.notifier.tables import METADATA, SCHEMA
from shared.database.migrate import run

run(SCHEMA, METADATA)
