"""Words of crisis in what people write: one home for texts and for the free fields of forms."""

from shared.crisis.words import Level, find

__all__ = ["Level", "find"]
