"""The events of the clinic service: what the others must know of clinics and patients, sealed."""

from services.clinic.model.clinic import Clinic
from services.clinic.model.contacts import Contact
from services.clinic.model.patient import Patient, PatientState
from shared import events
from shared.events.clinic import CONSENT
from shared.languages import Language
from shared.protection import Keyring


def enrolled(patient: Patient, keyring: Keyring) -> events.PatientEnrolled:
    """Say that a patient is in care: enrolled, or back after a discharge by mistake."""
    return events.PatientEnrolled(
        clinic=patient.clinic,
        patient=patient.id,
        version=patient.version,
        language=patient.language.value,
        zone=patient.zone,
        given_name=keyring.seal(patient.given_name, context="name"),
        contacts=tuple(_contact(contact, keyring) for contact in patient.contacts),
        in_care=True,
    )


def changed(patient: Patient, keyring: Keyring) -> events.PatientChanged:
    """Say how a patient now stands."""
    in_care = patient.state is PatientState.ENROLLED
    return events.PatientChanged.model_validate(enrolled(patient, keyring).model_dump() | {"in_care": in_care})


def discharged(patient: Patient) -> events.PatientDischarged:
    """Say that a patient left."""
    return events.PatientDischarged(
        clinic=patient.clinic, patient=patient.id, version=patient.version, joined_into=patient.joined_into
    )


def clinic_changed(clinic: Clinic, keyring: Keyring) -> events.ClinicChanged:
    """Say how a clinic is set up."""
    return events.ClinicChanged(
        clinic=clinic.id,
        version=clinic.version,
        name=clinic.name,
        sender_name=clinic.sender_name,
        zone=clinic.zone,
        phone=clinic.phone,
        quiet_from=clinic.texts_from,
        quiet_until=clinic.texts_until,
        crisis=events.CrisisTexts(en=clinic.crisis[Language.EN], es=clinic.crisis[Language.ES]),
        oncall=tuple(
            events.StaffContact(kind=one.kind.value, value=keyring.seal(one.value, context="contact"))
            for one in clinic.oncall
        ),
    )


def _contact(contact: Contact, keyring: Keyring) -> events.Contact:
    return events.Contact(
        id=contact.id,
        kind=contact.kind.value,
        value=keyring.seal(contact.value, context="contact"),
        consents=tuple(
            events.Consent(purpose=one.purpose.value, how="", at=one.at, words=keyring.seal(one.how, context=CONSENT))
            for one in contact.consents
        ),
    )
