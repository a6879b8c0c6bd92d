"""The part of FHIR R4 that is read. Unknown fields are skipped, known ones must have their type, and times stay text."""

from __future__ import annotations

from msgspec import Struct, field


class Fhir(Struct, rename="camel"):
    """Fields are FHIR's, its camel case written with underscores."""


class Coding(Fhir, gc=False):
    """One code of a system."""

    system: str | None = None
    code: str | None = None
    display: str | None = None


class Concept(Fhir):
    """Codes and words for one thing."""

    coding: list[Coding] = field(default_factory=list)
    text: str | None = None


class Quantity(Fhir, gc=False):
    """A number with its unit."""

    value: float | None = None
    comparator: str | None = None
    unit: str | None = None
    system: str | None = None
    code: str | None = None


class Identifier(Fhir, gc=False):
    """A business name of something, and its system."""

    use: str | None = None
    system: str | None = None
    value: str | None = None


class Reference(Fhir):
    """Another resource, by address, identifier or words."""

    reference: str | None = None
    identifier: Identifier | None = None
    display: str | None = None


class Period(Fhir, gc=False):
    """From a time to a time; either may be missing."""

    start: str | None = None
    end: str | None = None


class Meta(Fhir, gc=False):
    """Version of a resource, and when the server stored it."""

    version_id: str | None = None
    last_updated: str | None = None


class Extension(Fhir):
    """The values of an extension that are read."""

    url: str = ""
    value_codeable_concept: Concept | None = None
    value_coding: Coding | None = None
    value_integer: int | None = None
    value_string: str | None = None


class Contained(Fhir):
    """A resource inside another one."""

    resource_type: str = ""
    id: str | None = None
    code: Concept | None = None
    type: Concept | None = None


class Resource(Fhir, kw_only=True):
    """What all resources have."""

    resource_type: str
    id: str | None = None
    meta: Meta | None = None
    status: str | None = None
    identifier: list[Identifier] = field(default_factory=list)
    extension: list[Extension] = field(default_factory=list)
    modifier_extension: list[Extension] = field(default_factory=list)
    contained: list[Contained] = field(default_factory=list)


class HumanName(Fhir, gc=False):
    """A name."""

    text: str | None = None
    family: str | None = None
    given: list[str] = field(default_factory=list)


class PatientLink(Fhir):
    """Another record of the same patient."""

    other: Reference
    type: str


class Patient(Resource, kw_only=True):
    """A patient's own record."""

    name: list[HumanName] = field(default_factory=list)
    gender: str | None = None
    birth_date: str | None = None
    managing_organization: Reference | None = None
    link: list[PatientLink] = field(default_factory=list)


class Medication(Resource, kw_only=True):
    """A drug as a record of its own."""

    code: Concept | None = None


class DosageGiven(Fhir):
    """How much was given, and how."""

    route: Concept | None = None
    dose: Quantity | None = None


class MedicationAdministration(Resource, kw_only=True):
    """A drug that was given."""

    medication_codeable_concept: Concept | None = None
    medication_reference: Reference | None = None
    subject: Reference | None = None
    effective_date_time: str | None = None
    effective_period: Period | None = None
    request: Reference | None = None
    dosage: DosageGiven | None = None


class DoseAndRate(Fhir):
    """How much is to be given."""

    dose_quantity: Quantity | None = None


class Repeat(Fhir, gc=False):
    """How often."""

    frequency: int | None = None
    period: float | None = None
    period_unit: str | None = None


class Timing(Fhir):
    """When, as far as it repeats."""

    repeat: Repeat | None = None


class Dosage(Fhir):
    """How a drug is to be taken."""

    dose_and_rate: list[DoseAndRate] = field(default_factory=list)
    timing: Timing | None = None


class MedicationRequest(Resource, kw_only=True):
    """An order."""

    medication_codeable_concept: Concept | None = None
    medication_reference: Reference | None = None
    subject: Reference | None = None
    authored_on: str | None = None
    dosage_instruction: list[Dosage] = field(default_factory=list)


class MedicationStatement(Resource, kw_only=True):
    """That a drug is or was taken."""

    medication_codeable_concept: Concept | None = None
    medication_reference: Reference | None = None
    subject: Reference | None = None
    effective_date_time: str | None = None
    effective_period: Period | None = None
    date_asserted: str | None = None
    status_reason: list[Concept] = field(default_factory=list)
    dosage: list[Dosage] = field(default_factory=list)


class Measured(Fhir, kw_only=True):
    """What an Observation and a component of one have in common."""

    code: Concept | None = None
    value_quantity: Quantity | None = None
    value_codeable_concept: Concept | None = None
    value_string: str | None = None
    value_boolean: bool | None = None
    value_integer: int | None = None
    data_absent_reason: Concept | None = None


class Observation(Resource, kw_only=True):
    """Something measured or observed."""

    code: Concept | None = None
    subject: Reference | None = None
    encounter: Reference | None = None
    effective_date_time: str | None = None
    effective_period: Period | None = None
    effective_instant: str | None = None
    issued: str | None = None
    performer: list[Reference] = field(default_factory=list)
    value_quantity: Quantity | None = None
    value_codeable_concept: Concept | None = None
    value_string: str | None = None
    value_boolean: bool | None = None
    value_integer: int | None = None
    data_absent_reason: Concept | None = None
    body_site: Concept | None = None
    method: Concept | None = None
    specimen: Reference | None = None
    has_member: list[Reference] = field(default_factory=list)
    component: list[Measured] = field(default_factory=list)


class Procedure(Resource, kw_only=True):
    """Something done."""

    code: Concept | None = None
    subject: Reference | None = None
    performed_date_time: str | None = None
    performed_period: Period | None = None


class DiagnosticReport(Resource, kw_only=True):
    """A report of an investigation."""

    code: Concept | None = None
    subject: Reference | None = None
    effective_date_time: str | None = None
    effective_period: Period | None = None
    issued: str | None = None
    conclusion_code: list[Concept] = field(default_factory=list)


class Condition(Resource, kw_only=True):
    """An entry of the problem list."""

    code: Concept | None = None
    subject: Reference | None = None
    clinical_status: Concept | None = None
    verification_status: Concept | None = None
    recorded_date: str | None = None


class AdverseEvent(Resource, kw_only=True):
    """An event that was graded."""

    identifier: Identifier | None = None  # type: ignore[assignment]  # the only resource here that has one, not several
    actuality: str | None = None
    event: Concept | None = None
    subject: Reference | None = None
    date: str | None = None
    recorded_date: str | None = None


class Head(Fhir, gc=False):
    """Enough of any resource to tell what it is."""

    resource_type: str | None = None
    id: str | None = None


TYPES: dict[str, type[Resource]] = {
    each.__name__: each
    for each in (
        Patient,
        Medication,
        MedicationAdministration,
        MedicationRequest,
        MedicationStatement,
        Observation,
        Procedure,
        DiagnosticReport,
        Condition,
        AdverseEvent,
    )
}
"""The resources that are read, by name."""
