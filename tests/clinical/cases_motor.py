"""The published case of Jeter & Kang 2012 (doi 10.1186/2162-3619-1-20), as literals.

Published: first dose, onset, stop, examination, CSF, treatment dates. Assumed from the order told: the weekly doses, loss of
walking on 15 March, walker on 24 March, worse again on 30 May. Grades are inferred from the prose.
"""

from __future__ import annotations

from datetime import date

from monitor.clinical.history import History
from tests.clinical.builders_motor import assessments, course, doses, history, investigation, lab, treatment

EXAM = (
    "all=5;triceps_right=5;triceps_left=5;finger_extensors_right=4;finger_extensors_left=4;"
    "first_dorsal_interosseous_right=3+;first_dorsal_interosseous_left=3+;abductor_digiti_minimi_right=3;"
    "abductor_digiti_minimi_left=3;abductor_pollicis_brevis_right=4;abductor_pollicis_brevis_left=4;iliopsoas_right=4;"
    "iliopsoas_left=4-;hamstrings_right=4;hamstrings_left=4;tibialis_anterior_right=4-;tibialis_anterior_left=1"
)

ASSESSMENTS = f"""
on         ctcae_version sensory_grade motor_grade neuropathic_pain walking    gbs_disability reflexes mrc
2011-02-15 4.03          1             0           yes              unaided    .              .        .
2011-03-15 4.03          .             3           .                wheelchair 4              .        .
2011-03-16 4.03          1             3           .                wheelchair .              absent   {EXAM}
2011-03-24 4.03          .             3           .                walker     3              .        .
2011-05-30 4.03          .             3           .                wheelchair 4              .        .
2011-06-02 4.03          .             3           .                .          .              .        .
2011-09-09 4.03          .             3           .                cane       3              .        .
2012-06-29 4.03          .             0           .                unaided    .              .        .
"""


def jeter_and_kang() -> History:
    """The whole history; ``situation`` shows what was known of it at one instant."""
    return history(
        assessments(ASSESSMENTS),
        doses("2010-12-30", "2011-03-03"),
        courses=[course("2010-12-30", "2011-03-08")],
        labs=[lab("2011-03-17", "csf_protein", 133), lab("2011-03-17", "csf_white_cells", 2)],
        investigations=[
            investigation("2011-03-17", "mri_spine", "normal"),
            investigation("2011-03-18", "nerve_conduction", "axonal", "demyelinating"),
            investigation("2011-03-18", "antibodies", "negative"),
        ],
        treatments=[
            treatment("plasma_exchange", "2011-03-21", "2011-03-30"),
            treatment("corticosteroid", "2011-05-31", "2011-09-09"),
        ],
        birth_on=date(1945, 1, 1),
    )
