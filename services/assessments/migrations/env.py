from services.assessments.tables import METADATA
from shared.database.migrate import run

run("assessments", METADATA)
