"""Instruments that several services go by; what else is known of one stands in its pack, in assessments."""

from typing import Final

PHQ_9: Final = "phq-9"
MEASURE: Final = PHQ_9
"""What the interval follows: the scheduler asks it, the interval rule reads it, the list of patients shows it."""
