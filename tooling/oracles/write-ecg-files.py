"""Writes small electrocardiograms in the formats of hospitals, from the published formats, and what reference libraries read.

Usage: python write-ecg-files.py packages/data-climb/fixtures/ecg-files
Python 3.12 with numpy, pydicom, aecg, sierraecg, ecgdatakit. Seed 42. The signals are made up.

expected.json: per file the leads in order, the sampling rate, and per lead first values, last value, sum, least and greatest
in millivolts, as the named reference gives them.
"""
import base64, json, struct, sys, warnings, zlib, binascii
from importlib.metadata import version
from pathlib import Path
import numpy as np

OUT = Path(sys.argv[1]); OUT.mkdir(parents=True, exist_ok=True)
rng = np.random.default_rng(42)
N, RATE = 200, 500
EIGHT = ["I", "II", "V1", "V2", "V3", "V4", "V5", "V6"]
TWELVE = ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"]
t = np.arange(N) / RATE
eight = [np.round(400 * np.exp(-((t - .15 - .01 * k) / .012) ** 2) * (1 + k / 4) - 80 * np.exp(-((t - .3) / .04) ** 2) + rng.normal(0, 4, N)).astype(int) for k in range(8)]
I, II = eight[:2]
limbs = [II - I, -((I + II) // 2), (2 * I - II) // 2, (2 * II - I) // 2]
twelve = [I, II, *limbs, *eight[2:]]
expected = {"versions": {name: version(name) for name in ("numpy", "pydicom", "aecg", "sierraecg", "ecgdatakit")}, "seed": 42, "files": {}}


def note(name, format, reference, rate, leads, digits=9):
    """leads: name to millivolts."""
    expected["files"][name] = {"format": format, "reference": reference, "samplingRateHz": rate, "samples": len(next(iter(leads.values()))), "leads": {
        lead: {"first": [round(float(v), digits) for v in mv[:6]], "last": round(float(mv[-1]), digits), "sum": round(float(np.sum(mv)), digits), "min": round(float(np.min(mv)), digits), "max": round(float(np.max(mv)), digits)}
        for lead, mv in leads.items()}}


# DICOM: by pydicom, written and read.
import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian

NUMBER = {"I": 1, "II": 2, "III": 61, "aVR": 62, "aVL": 63, "aVF": 64, **{f"V{i + 1}": 3 + i for i in range(6)}}


def dicom_group(names, signals, sensitivity, units, *, scheme="MDC", baseline=0, correction=1, rate=RATE, dtype="<i2", interpretation="SS", padding=None, originality="ORIGINAL"):
    group = Dataset()
    group.WaveformOriginality, group.NumberOfWaveformChannels, group.NumberOfWaveformSamples, group.SamplingFrequency = originality, len(names), len(signals[0]), rate
    channels = []
    for name in names:
        channel, source, unit = Dataset(), Dataset(), Dataset()
        source.CodeValue = f"2:{NUMBER[name]}" if scheme == "MDC" else f"5.6.3-9-{NUMBER[name]}"
        source.CodingSchemeDesignator, source.CodeMeaning = scheme, f"Lead {name}" if scheme == "MDC" else f"{name} channel"
        unit.CodeValue, unit.CodingSchemeDesignator, unit.CodeMeaning = units, "UCUM", units
        channel.ChannelSourceSequence, channel.ChannelSensitivity = Sequence([source]), sensitivity
        channel.ChannelSensitivityUnitsSequence = Sequence([unit])
        channel.ChannelSensitivityCorrectionFactor, channel.ChannelBaseline, channel.WaveformBitsStored = correction, baseline, np.dtype(dtype).itemsize * 8
        channels.append(channel)
    group.ChannelDefinitionSequence = Sequence(channels)
    group.WaveformBitsAllocated, group.WaveformSampleInterpretation = np.dtype(dtype).itemsize * 8, interpretation
    group["WaveformData"] = pydicom.DataElement("WaveformData", "OW" if np.dtype(dtype).itemsize > 1 else "OB", np.stack(signals, 1).astype(dtype).tobytes())
    if padding is not None: group["WaveformPaddingValue"] = pydicom.DataElement("WaveformPaddingValue", "OW", np.array([padding], dtype).tobytes())
    return group


def write_dicom(name, groups, syntax):
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID, meta.TransferSyntaxUID = "1.2.840.10008.5.1.4.1.1.9.1.1", "2.25.42", syntax
    ds = FileDataset(str(OUT / name), {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID, ds.SOPInstanceUID, ds.Modality, ds.PatientName, ds.PatientID = meta.MediaStorageSOPClassUID, "2.25.42", "ECG", "Made^Up", "0"
    ds.WaveformSequence = Sequence(groups)
    is_big = syntax == ExplicitVRBigEndian
    pydicom.dcmwrite(OUT / name, ds, implicit_vr=syntax == ImplicitVRLittleEndian, little_endian=not is_big, force_encoding=True) if is_big else ds.save_as(OUT / name, enforce_file_format=True)


def note_dicom(name, names, group, to_mv):
    ds = pydicom.dcmread(OUT / name)
    array = ds.waveform_array(group)
    note(name, "dicom-ecg", "pydicom waveform_array", float(ds.WaveformSequence[group].SamplingFrequency), {lead: array[:, i] * to_mv for i, lead in enumerate(names)})


write_dicom("twelve.dcm", [dicom_group(TWELVE, twelve, 2.5, "uV")], ExplicitVRLittleEndian); note_dicom("twelve.dcm", TWELVE, 0, 1e-3)
write_dicom("implicit-mv-baseline.dcm", [dicom_group(TWELVE, twelve, .00125, "mV", baseline=.25, correction=2, scheme="SCPECG")], ImplicitVRLittleEndian); note_dicom("implicit-mv-baseline.dcm", TWELVE, 0, 1)
write_dicom("deflated-median-first.dcm", [dicom_group(EIGHT, [s[:60] for s in eight], 5, "uV", rate=RATE, originality="DERIVED"), dicom_group(EIGHT, eight, 5, "uV")], DeflatedExplicitVRLittleEndian); note_dicom("deflated-median-first.dcm", EIGHT, 1, 1e-3)
write_dicom("bytes-unsigned-32.dcm", [dicom_group(EIGHT, [s * 1000 for s in eight], 1, "nV", dtype="<i4", interpretation="SL")], ExplicitVRLittleEndian); note_dicom("bytes-unsigned-32.dcm", EIGHT, 0, 1e-6)
big = dicom_group(EIGHT, eight, 5, "uV", dtype=">i2")
write_dicom("big-endian.dcm", [big], ExplicitVRBigEndian)
note("big-endian.dcm", "dicom-ecg", "the samples that were written", RATE, {lead: s * .005 for lead, s in zip(EIGHT, eight)})

# HL7 aECG: annotatedECG of HL7 v3, read by aecg.
import aecg


def write_aecg(name, *, prefix="", unit="uV", scale=2.5, origin=0, origin_unit="uV", step=2, step_unit="ms", encoding="utf-8", names=TWELVE, signals=twelve):
    p, ns = (f"{prefix}:", f'xmlns:{prefix}="urn:hl7-org:v3"') if prefix else ("", 'xmlns="urn:hl7-org:v3"')
    def sequence(code, value): return f'<{p}component><{p}sequence><{p}code code="{code}" codeSystem="2.16.840.1.113883.6.24"/>{value}</{p}sequence></{p}component>'
    time = sequence("TIME_ABSOLUTE", f'<{p}value xsi:type="GLIST_TS"><{p}head value="20200101120000.000"/><{p}increment value="{step}" unit="{step_unit}"/></{p}value>').replace("2.16.840.1.113883.6.24", "2.16.840.1.113883.5.4")
    leads = "".join(sequence(f"MDC_ECG_LEAD_{lead.upper()}", f'<{p}value xsi:type="SLIST_PQ"><{p}origin value="{origin}" unit="{origin_unit}"/><{p}scale value="{scale}" unit="{unit}"/><{p}digits>{" ".join(map(str, s))}</{p}digits></{p}value>') for lead, s in zip(names, signals))
    beat = f'<{p}derivation><{p}derivedSeries><{p}id root="2.25.2"/><{p}code code="REPRESENTATIVE_BEAT" codeSystem="2.16.840.1.113883.5.4"/><{p}component><{p}sequenceSet>{time}{leads}</{p}sequenceSet></{p}component></{p}derivedSeries></{p}derivation>'
    series = f'<{p}series><{p}id root="2.25.1"/><{p}code code="RHYTHM" codeSystem="2.16.840.1.113883.5.4"/><{p}effectiveTime><{p}low value="20200101120000.000"/><{p}high value="20200101120001.000"/></{p}effectiveTime><{p}component><{p}sequenceSet>{time}{leads}</{p}sequenceSet></{p}component>{beat}</{p}series>'
    text = f'<?xml version="1.0" encoding="{encoding}"?>\n<!-- made up -->\n<{p}AnnotatedECG {ns} xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><{p}id root="2.25.3"/><{p}code code="93000" codeSystem="2.16.840.1.113883.6.12"/><{p}effectiveTime><{p}low value="20200101120000.000"/><{p}high value="20200101120001.000"/></{p}effectiveTime><{p}component>{series}</{p}component></{p}AnnotatedECG>'
    (OUT / name).write_bytes(text.encode(encoding))
    return names


def note_aecg(name, names, rate):
    from lxml import etree
    tree = etree.parse(str(OUT / name)); root = tree.getroot()
    from aecg.parser import _remove_namespace
    from aecg.models import SequenceSet
    _remove_namespace(root)
    element = root.find(".//series/component/sequenceSet"); element.tag = "SequenceSet"  # the model's own name
    found = SequenceSet.from_xml_tree(element)
    note(name, "hl7-aecg", "aecg physical_digits", rate, {lead: sequence.physical_digits for lead, sequence in zip(names, found.sequences)})


note_aecg("twelve.aecg.xml", write_aecg("twelve.aecg.xml"), 500)
note_aecg("prefixed-origin.aecg.xml", write_aecg("prefixed-origin.aecg.xml", prefix="hl7", unit="mV", scale=.005, origin=-120, origin_unit="uV", step=".004", step_unit="s"), 250)
note_aecg("utf-16-microseconds.aecg.xml", write_aecg("utf-16-microseconds.aecg.xml", encoding="utf-16", step=1000, step_unit="us", names=EIGHT, signals=eight), 1000)

# GE MUSE: RestingECG, read by ecgdatakit.
import ecgdatakit
from ecgdatakit import FileParser


def write_muse(name, scale="4.88", encoding="ISO-8859-1", wrap=76):
    def data(lead, signal):
        raw = signal.astype("<i2").tobytes(); text = base64.b64encode(raw).decode()
        lines = "\n".join(text[i:i + wrap] for i in range(0, len(text), wrap))
        return f"<LeadData><LeadByteCountTotal>{len(raw)}</LeadByteCountTotal><LeadTimeOffset>0</LeadTimeOffset><LeadSampleCountTotal>{len(signal)}</LeadSampleCountTotal><LeadAmplitudeUnitsPerBit>{scale}</LeadAmplitudeUnitsPerBit><LeadAmplitudeUnits>MICROVOLTS</LeadAmplitudeUnits><LeadHighLimit>32767</LeadHighLimit><LeadLowLimit>32768</LeadLowLimit><LeadID>{lead}</LeadID><LeadOffsetFirstSample>0</LeadOffsetFirstSample><FirstSampleBaseline>0</FirstSampleBaseline><LeadSampleSize>2</LeadSampleSize><LeadOff>FALSE</LeadOff><BaselineSway>FALSE</BaselineSway><LeadDataCRC32>{zlib.crc32(raw)}</LeadDataCRC32><WaveFormData>\n{lines}\n</WaveFormData></LeadData>"
    def wave(kind, signals): return f"<Waveform><WaveformType>{kind}</WaveformType><WaveformStartTime>0</WaveformStartTime><NumberofLeads>8</NumberofLeads><SampleType>CONTINUOUS_SAMPLES</SampleType><SampleBase>500</SampleBase><SampleExponent>0</SampleExponent>{''.join(data(l, s) for l, s in zip(EIGHT, signals))}</Waveform>"
    text = f'<?xml version="1.0" encoding="{encoding}"?>\n<!DOCTYPE RestingECG SYSTEM "restecg.dtd">\n<RestingECG><MuseInfo><MuseVersion>8.0</MuseVersion></MuseInfo><PatientDemographics><PatientID>0</PatientID></PatientDemographics><TestDemographics><DataType>RESTING</DataType></TestDemographics>{wave("Median", [s[:100] for s in eight])}{wave("Rhythm", eight)}</RestingECG>'
    (OUT / name).write_bytes(text.encode(encoding))


def note_any(name, format, names):
    record = FileParser.parse(str(OUT / name), units="mV")
    leads = {lead.label: lead for lead in record.leads}
    assert all(lead.units == "mV" for lead in record.leads)
    note(name, format, "ecgdatakit", float(record.leads[0].sampling_rate), {lead: np.asarray(leads[lead].samples) for lead in names})


write_muse("muse.xml"); note_any("muse.xml", "ge-muse", EIGHT)

# Philips Sierra: read by sierraecg (compressed) and ecgdatakit.
def lzw10(data):
    """LZW with codes of ten bits and a dictionary that is not emptied."""
    codes, table, word = [], {bytes([i]): i for i in range(256)}, b""
    for byte in data:
        longer = word + bytes([byte])
        if longer in table: word = longer; continue
        codes.append(table[word])
        if len(table) <= 1022: table[longer] = len(table)
        word = bytes([byte])
    if word: codes.append(table[word])
    bits = "".join(f"{code:010b}" for code in codes) + "1" * 10
    return bytes(int(bits[i:i + 8].ljust(8, "0"), 2) for i in range(0, len(bits), 8))


def xli(signals):
    out = b""
    for s in signals:
        s = [int(v) for v in s]
        d = [s[0], s[1]] + [0] * (len(s) - 2)
        # The decoder computes s[i] = 2 s[i-1] - s[i-2] - last, and then last = d[i] - 64: d[i] belongs to the sample after i.
        want = [2 * s[i - 1] - s[i - 2] - s[i] for i in range(2, len(s))] + [0]
        start = want[0]
        for i in range(2, len(s)): d[i] = want[i - 1] + 64
        words = np.array(d, np.int16).astype(">i2").tobytes()
        chunk = lzw10(words[0::2] + words[1::2])
        out += struct.pack("<IHh", len(chunk), 0, start) + chunk
    return out


def write_sierra(name, doc_version, *, compressed, encoding="utf-8", resolution=5, offset=0):
    if compressed:
        three, right, left, foot = limbs
        differences = [II - I - three, -right - (I + II) // 2, (I - three) // 2 - left, (II + three) // 2 - foot]
        raw = xli([I, II, *differences, *eight[2:]])
    else: raw = b"".join(s.astype("<i2").tobytes() for s in twelve)
    text = base64.b64encode(raw).decode()
    duration = int(N * 1000 / RATE)
    if doc_version == "1.03":
        signal = f"<samplingrate>{RATE}</samplingrate><signalresolution>{resolution}</signalresolution><signaloffset>{offset}</signaloffset><acquisitiontype>STD-12</acquisitiontype><numberchannelsallocated>12</numberchannelsallocated>"
        attributes = f'dataencoding="Base64" compressmethod="{"XLI" if compressed else "Uncompressed"}" durationperchannel="{duration}" numberofleads="12"'
    else:
        signal = f"<samplingrate>{RATE}</samplingrate><resolution>{resolution}</resolution><bitspersample>16</bitspersample><signaloffset>{offset}</signaloffset><signalsigned>True</signalsigned><numberchannelsallocated>12</numberchannelsallocated>"
        attributes = f'dataencoding="Base64" compressflag="{compressed}" {"compression" if compressed else "compressmethod"}="{"XLI" if compressed else "Uncompressed"}" numberofleads="12" leadlabels="{" ".join(TWELVE)}" resolution="{resolution}" samplespersecond="{RATE}" durationperchannel="{duration}"'
    xml = f'<?xml version="1.0" encoding="{encoding}"?>\n<restingecgdata xmlns="http://www3.medical.philips.com"><documentinfo><documentname>x</documentname><documenttype>{"SierraECG" if doc_version == "1.03" else "PhilipsECG"}</documenttype><documentversion>{doc_version}</documentversion></documentinfo><dataacquisition><signalcharacteristics>{signal}</signalcharacteristics></dataacquisition><waveforms><parsedwaveforms {attributes}>\n{text}\n</parsedwaveforms></waveforms></restingecgdata>'
    (OUT / name).write_bytes(xml.encode(encoding))


def note_sierra(name, resolution=5):
    import sierraecg
    record = sierraecg.read_file(str(OUT / name))
    note(name, "philips-sierra", "sierraecg", float(record.leads[0].sampling_freq), {lead.label: np.asarray(lead.samples) * resolution * 1e-3 for lead in record.leads})


write_sierra("sierra-1.03-xli.xml", "1.03", compressed=True); note_sierra("sierra-1.03-xli.xml")
write_sierra("sierra-1.04-xli.xml", "1.04", compressed=True, encoding="utf-16"); note_sierra("sierra-1.04-xli.xml")
write_sierra("sierra-1.04-plain.xml", "1.04.01", compressed=False, offset=20); note_any("sierra-1.04-plain.xml", "philips-sierra", TWELVE)
write_sierra("sierra-1.03-plain.xml", "1.03", compressed=False); note_any("sierra-1.03-plain.xml", "philips-sierra", TWELVE)

# SCP-ECG: EN 1064, read by ecgdatakit.
crc = lambda data: binascii.crc_hqx(data, 0xFFFF)


def section(number, body, protocol=20):
    body += b"\0" * (len(body) % 2)
    head = struct.pack("<HIBB6s", number, 16 + len(body), protocol, protocol, b"SCPECG" if number == 0 else b"\0" * 6)
    return struct.pack("<H", crc(head + body)) + head + body


def scp(sections):
    bodies = {number: section(number, body) for number, body in sections.items()}
    size, at, pointers = 16 + 10 * 12, 7 + 16 + 10 * 12, b""
    for number in range(12):
        if number == 0: pointers += struct.pack("<HII", 0, size, 7); continue
        length = len(bodies.get(number, b""))
        pointers += struct.pack("<HII", number, length, at if length else 0); at += length
    rest = section(0, pointers) + b"".join(bodies[number] for number in sorted(bodies))
    whole = struct.pack("<I", 6 + len(rest)) + rest
    return struct.pack("<H", crc(whole)) + whole


def default_code(value):
    if value == 0: return "0"
    if abs(value) <= 8: return "1" * abs(value) + "0" + ("0" if value > 0 else "1")
    if -128 <= value < 128: return "1111111110" + f"{value & 0xFF:08b}"
    return "1111111111" + f"{value & 0xFFFF:016b}"


def differences(s, order):
    s = [int(v) for v in s]
    if order == 0: return s
    if order == 1: return [s[0]] + [s[i] - s[i - 1] for i in range(1, len(s))]
    return s[:2] + [s[i] - 2 * s[i - 1] + s[i - 2] for i in range(2, len(s))]


def pack(bits):
    bits += "0" * (-len(bits) % 16)
    return bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8))


def rhythm(signals, unit_nv, order, code=None):
    chunks = [np.array(differences(s, order), "<i2").tobytes() if code is None else pack("".join(code(v) for v in differences(s, order))) for s in signals]
    return struct.pack("<HHBB", unit_nv, 2000, order, 0) + b"".join(struct.pack("<H", len(c)) for c in chunks) + b"".join(chunks)


def leads_section(names, flags=0x04, first=1, last=N): return struct.pack("<BB", len(names), flags | (len(names) << 3 & 0xF8)) + b"".join(struct.pack("<IIB", first, last, NUMBER[n]) for n in names)


(OUT / "plain.scp").write_bytes(scp({3: leads_section(EIGHT), 6: rhythm(eight, 5000, 0)})); note_any("plain.scp", "scp-ecg", EIGHT)
(OUT / "huffman-second.scp").write_bytes(scp({2: struct.pack("<H", 19999), 3: leads_section(EIGHT), 6: rhythm(eight, 4880, 2, default_code)})); note_any("huffman-second.scp", "scp-ecg", EIGHT)
(OUT / "huffman-first.scp").write_bytes(scp({2: struct.pack("<H", 19999), 3: leads_section(TWELVE), 6: rhythm(twelve, 2500, 1, default_code)})); note_any("huffman-first.scp", "scp-ecg", TWELVE)

# Two tables of its own: the first for small values, with a code that goes on with the second, where all values have 16 bits.
def entry(prefix_bits, all_bits, mode, value, prefix): return struct.pack("<BBBhI", prefix_bits, all_bits, mode, value, int(f"{prefix:0{prefix_bits}b}"[::-1], 2))


small = {0: "0", 1: "100", -1: "101", 2: "1100", -2: "1101"}
own = struct.pack("<HH", 2, 6) + b"".join(entry(len(c), len(c), 1, v, int(c, 2)) for v, c in small.items()) + entry(3, 3, 0, 2, 0b111) + struct.pack("<H", 2) + entry(1, 17, 1, 0, 0b0) + entry(1, 1, 0, 1, 0b1)


def own_code(value): return small[value] if value in small else "111" + "0" + f"{value & 0xFFFF:016b}" + "1"


(OUT / "own-tables.scp").write_bytes(scp({2: own, 3: leads_section(EIGHT), 6: rhythm(eight, 5000, 2, own_code)})); note_any("own-tables.scp", "scp-ecg", EIGHT)

# A reference beat of 80 ms (40 samples) that was subtracted twice, in another unit than the rhythm.
beat = [np.round(60 * np.exp(-((np.arange(40) - 20) / 6) ** 2) * (1 + k / 5)).astype(int) for k in range(8)]
places = [(40, 60, 78), (120, 140, 155)]
middle, residual = 21, [s.copy() * 2 for s in eight]
for start, fiducial, end in places:
    for k in range(8):
        for sample in range(start, end + 1): residual[k][sample - 1] -= 4 * beat[k][sample - 1 - fiducial + middle]
beats = struct.pack("<HHH", 80, middle, 2) + b"".join(struct.pack("<HIII", 0, *place) for place in places) + b"".join(struct.pack("<II", start, end) for start, _, end in places)
(OUT / "subtracted.scp").write_bytes(scp({2: struct.pack("<H", 19999), 3: leads_section(EIGHT, 0x05), 4: beats, 5: rhythm(beat, 10000, 1, default_code), 6: rhythm(residual, 2500, 2, default_code)})); note_any("subtracted.scp", "scp-ecg", EIGHT)

(OUT / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
print(len(expected["files"]), "files,", sum(p.stat().st_size for p in OUT.iterdir()), "bytes")
