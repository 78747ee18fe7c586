"""The rule that proposes the next interval. It proposes; a clinician decides."""
