from services.scheduler.tables import METADATA, SCHEMA
from shared.database.migrate import run

run(SCHEMA, METADATA)
