"""How well the source of a clinical rule is founded: the scheduler's protocols and the rules of assessments say it."""

from enum import StrEnum


class Grade(StrEnum):
    """From a drug's label down to a default of ours, which a clinician must sign."""

    LABEL = "LABEL"
    RCT = "RCT"
    GUIDELINE = "GUIDELINE"
    OBSERVATIONAL = "OBSERVATIONAL"
    CLINIC_PRACTICE = "CLINIC_PRACTICE"
    CLINIC_PAGE = "CLINIC_PAGE"
    ENGINEERING_DEFAULT = "ENGINEERING_DEFAULT"
