"""Reads a FHIR bundle and a DICOM report of the server as other libraries do, and writes what they find.

    python -m venv venv && venv/bin/pip install fhir.resources==8.3.0 highdicom==0.28.2 pydicom==3.0.2
    node --conditions=@qoq-med/source packages/server/fixtures/write-documents.ts
    venv/bin/python tooling/oracles/clinical_documents.py packages/server/fixtures > packages/server/fixtures/documents.expected.json

fhir.resources 6.4.0 (in an environment of its own: it needs pydantic 1) reads R4 itself; 8.3.0 reads R4B, whose resources
here are the same. Both parse the bundle. With `--fhir-only` the second one is run alone.
"""

import hashlib
import json
import sys
from pathlib import Path

folder = Path(sys.argv[1])
text = (folder / "bundle.json").read_text()


def bundle_facts(bundle):
    resources = [entry.resource for entry in bundle.entry]
    return {
        "type": bundle.type,
        "resources": [resource.resource_type if hasattr(resource, "resource_type") and isinstance(resource.resource_type, str) else resource.get_resource_type() for resource in resources],
        "security": sorted({code.code for resource in resources if resource.meta for code in resource.meta.security}),
    }


if "--fhir-only" in sys.argv:
    from fhir.resources.bundle import Bundle

    print(json.dumps(bundle_facts(Bundle.parse_raw(text))))
    sys.exit(0)

from fhir.resources.R4B.bundle import Bundle  # noqa: E402
import highdicom  # noqa: E402
import pydicom  # noqa: E402

data = (folder / "report.dcm").read_bytes()
report = highdicom.sr.srread(folder / "report.dcm")
plain = pydicom.dcmread(folder / "report.dcm")


def region(group):
    item = group.roi
    finding = group.finding_type
    image = item.ContentSequence[0].ReferencedSOPSequence[0]
    frame = image.get("ReferencedFrameNumber")
    return {
        "tracking": group.tracking_identifier,
        "finding": [finding.value, finding.scheme_designator, finding.meaning],
        "graphic": item.graphic_type.value,
        "points": item.value.tolist(),
        "instance": str(image.ReferencedSOPInstanceUID),
        "frame": None if frame is None else int(frame),
    }


content = report.content
print(
    json.dumps(
        {
            "sha256": {"report.dcm": hashlib.sha256(data).hexdigest(), "bundle.json": hashlib.sha256(text.encode()).hexdigest()},
            "bundle": bundle_facts(Bundle.model_validate_json(text)),
            "report": {
                "class": type(report).__name__,
                "patient": str(plain.PatientName),
                "patient_id": str(plain.PatientID),
                "study": str(plain.StudyInstanceUID),
                "flags": [plain.CompletionFlag, plain.VerificationFlag, plain.PreliminaryFlag],
                "evidence": [
                    [str(instance.ReferencedSOPInstanceUID) for instance in series.ReferencedSOPSequence]
                    for series in plain.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence
                ],
                "regions": [region(group) for group in content.get_planar_roi_measurement_groups()],
            },
            "versions": {"highdicom": highdicom.__version__, "pydicom": pydicom.__version__},
        },
        indent=2,
    )
)
