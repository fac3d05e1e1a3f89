/** The seven ECG classes of table 5, in the order of questions and answers. */
export const ecgClasses = [
  'Normal',
  'Conduction Delay',
  'Hypertrophy',
  'Myocardial Infarction',
  'STTC',
  'A. Fib/Aflutter',
  'Other',
] as const

/** One of the seven ECG classes. */
export type EcgClass = (typeof ecgClasses)[number]

/** A normal ECG, or a sinus rhythm, and an infarction are not seen in one recording. */
export const exclusiveEcgClasses = [['Normal', 'Myocardial Infarction']] as const satisfies readonly (readonly [
  EcgClass,
  EcgClass,
])[]

/**
 * SNOMED CT code to class, one table for the four ECG sets. Where the public loader's four tables agree (after undoing a
 * letter-case slip that lost atrial fibrillation, among others) this is their value; where they conflict, one value was
 * chosen for all sets: ischaemia, T inversion are STTC; long QT, ventricular and supraventricular ectopy and low voltage
 * are Other; bundle branch block, AV block and AV re-entry are Conduction Delay.
 */
const codesByClass: Readonly<Record<EcgClass, string>> = {
  Normal: `
    426627000 427393009 426177001 426783006 427084000`,
  'Conduction Delay': `
    270492004 195042002 61277005 426664006 251268003 713422000 29320008 251166008 233897008 233917008 74615001
    6374002 698247007 27885002 713427006 204384007 82226007 49260003 251120003 713426002 426995002 251164006
    426648003 445118002 164909002 445211001 28189009 54016002 713423005 698252002 164912004 67198005 425856008
    164903001 164947007 59118001 49578007 65778007 17366009 60423000 251168009 426761007 75532003 81898007
    164896001 111288001 251266004 195060002 164895002 195101003 74390002`,
  Hypertrophy: `
    195126007 251198002 253352002 67741000119109 446813000 39732003 55827005 164873001 370365005 164921003
    253339007 446358003 47665007 89792004 266249003`,
  'Myocardial Infarction': `
    57054005 413444003 54329005 413844008 704997005 164865005 164867002`,
  STTC: `
    426434006 53741008 423863005 251259000 425419005 425623009 164861001 428750005 55930002 429622005 164931005
    164930006 164934002 59931005`,
  'A. Fib/Aflutter': `
    164889003 195080001 164890007 426749004 282825002 314208002`,
  Other: `
    164951009 251173003 50799005 251170000 418818005 78069008 77867006 428417006 251143007 164942001 13640000
    84114007 251200008 251146004 251147008 251148003 10370003 251182009 284470004 427172004 111975006 164917005
    63593006 251139008 251242005 266257000 164937009 11157007 164884008 17338001 251180001`,
}

const classOfCode: ReadonlyMap<string, EcgClass> = new Map(
  ecgClasses.flatMap(name =>
    codesByClass[name]
      .trim()
      .split(/\s+/)
      .map(code => [code, name] as const),
  ),
)

/**
 * Maps the SNOMED CT codes of a recording to classes.
 *
 * @returns classes in the order of `ecgClasses`, each once, and the codes that no class covers
 */
export function classesOfSnomed(codes: readonly string[]): { classes: EcgClass[]; unmapped: string[] } {
  const found = new Set(codes.map(code => classOfCode.get(code)))
  return { classes: ecgClasses.filter(name => found.has(name)), unmapped: codes.filter(code => !classOfCode.has(code)) }
}

/** Reads the codes of a `Dx:` comment of either header generation: blanks, doubled commas and repeats do not matter. */
export function snomedCodes(comments: readonly string[]): string[] {
  const line = comments.find(comment => /^dx\s*:/i.test(comment))
  const codes = (line?.slice(line.indexOf(':') + 1) ?? '').split(',').map(code => code.trim())
  return [...new Set(codes.filter(code => code !== ''))]
}
