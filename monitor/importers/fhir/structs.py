"""The part of FHIR R4 that is read, as msgspec decodes it: unknown fields are skipped, known ones must have their type.

Times stay text: a partial date is no instant, and must not become one.
"""

from __future__ import annotations

from msgspec import Struct, field


class Fhir(Struct, rename="camel"):
    """Fields are FHIR's, its camel case written with underscores."""


class Coding(Fhir, gc=False):
    system: str | None = None
    code: str | None = None
    display: str | None = None


class Concept(Fhir):
    coding: list[Coding] = field(default_factory=list)
    text: str | None = None


class Quantity(Fhir, gc=False):
    value: float | None = None
    comparator: str | None = None
    unit: str | None = None
    system: str | None = None
    code: str | None = None


class Identifier(Fhir, gc=False):
    system: str | None = None
    value: str | None = None


class Reference(Fhir):
    reference: str | None = None
    identifier: Identifier | None = None
    display: str | None = None


class Period(Fhir, gc=False):
    start: str | None = None
    end: str | None = None


class Meta(Fhir, gc=False):
    version_id: str | None = None
    last_updated: str | None = None


class Extension(Fhir):
    url: str = ""
    value_codeable_concept: Concept | None = None
    value_coding: Coding | None = None
    value_integer: int | None = None
    value_string: str | None = None


class Contained(Fhir):
    resource_type: str = ""
    id: str | None = None
    code: Concept | None = None
    type: Concept | None = None


class Resource(Fhir, kw_only=True):
    resource_type: str
    id: str | None = None
    meta: Meta | None = None
    status: str | None = None
    identifier: list[Identifier] = field(default_factory=list)
    extension: list[Extension] = field(default_factory=list)
    modifier_extension: list[Extension] = field(default_factory=list)
    contained: list[Contained] = field(default_factory=list)


class HumanName(Fhir, gc=False):
    text: str | None = None
    family: str | None = None
    given: list[str] = field(default_factory=list)


class PatientLink(Fhir):
    other: Reference
    type: str


class Patient(Resource, kw_only=True):
    name: list[HumanName] = field(default_factory=list)
    gender: str | None = None
    birth_date: str | None = None
    managing_organization: Reference | None = None
    link: list[PatientLink] = field(default_factory=list)


class Medication(Resource, kw_only=True):
    code: Concept | None = None


class DosageGiven(Fhir):
    route: Concept | None = None
    dose: Quantity | None = None


class MedicationAdministration(Resource, kw_only=True):
    medication_codeable_concept: Concept | None = None
    medication_reference: Reference | None = None
    subject: Reference | None = None
    effective_date_time: str | None = None
    effective_period: Period | None = None
    request: Reference | None = None
    dosage: DosageGiven | None = None


class DoseAndRate(Fhir):
    dose_quantity: Quantity | None = None


class Repeat(Fhir, gc=False):
    frequency: int | None = None
    period: float | None = None
    period_unit: str | None = None


class Timing(Fhir):
    repeat: Repeat | None = None


class Dosage(Fhir):
    dose_and_rate: list[DoseAndRate] = field(default_factory=list)
    timing: Timing | None = None


class MedicationRequest(Resource, kw_only=True):
    medication_codeable_concept: Concept | None = None
    medication_reference: Reference | None = None
    subject: Reference | None = None
    authored_on: str | None = None
    dosage_instruction: list[Dosage] = field(default_factory=list)


class MedicationStatement(Resource, kw_only=True):
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
    code: Concept | None = None
    subject: Reference | None = None
    performed_date_time: str | None = None
    performed_period: Period | None = None


class DiagnosticReport(Resource, kw_only=True):
    code: Concept | None = None
    subject: Reference | None = None
    effective_date_time: str | None = None
    effective_period: Period | None = None
    issued: str | None = None
    conclusion_code: list[Concept] = field(default_factory=list)


class Condition(Resource, kw_only=True):
    code: Concept | None = None
    subject: Reference | None = None
    clinical_status: Concept | None = None
    verification_status: Concept | None = None
    recorded_date: str | None = None


class AdverseEvent(Resource, kw_only=True):
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
