from services.clinic.tables import METADATA
from shared.database.migrate import run

run("clinic", METADATA)
