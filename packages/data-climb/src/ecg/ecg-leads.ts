/** The leads of the standard electrocardiogram, in their usual order and spelling. */
export const standardLeads = ['I', 'II', 'III', 'aVR', 'aVL', 'aVF', 'V1', 'V2', 'V3', 'V4', 'V5', 'V6'] as const

/** One lead of the standard electrocardiogram. */
export type StandardLead = (typeof standardLeads)[number]

const leadByFoldedName: ReadonlyMap<string, StandardLead> = new Map(
  standardLeads.map(lead => [lead.toLowerCase(), lead]),
)

/** What devices put around a lead's name: `MDC_ECG_LEAD_AVR`, `Lead aVR (Einthoven)`, `ECG_aVR`. */
const decoration = /^(?:mdc_ecg_(?:lead_)?|ecg[\s_-]+|lead[\s_-]*|ableitung\s+)+|\s*\([^()]*\)$/gi

/**
 * Finds the standard lead that a name means: case, blanks and what devices write around it do not matter.
 *
 * @returns undefined for anything else, such as `V3R` or `-aVR`
 */
export function standardLead(name: string): StandardLead | undefined {
  return leadByFoldedName.get(name.trim().replaceAll(decoration, '').replaceAll(/\s/g, '').toLowerCase())
}

/** How two limb leads make the others: their weights, by Einthoven's and Goldberger's definitions. */
const derivations: readonly { readonly lead: StandardLead; readonly ofI: number; readonly ofII: number }[] = [
  { lead: 'III', ofI: -1, ofII: 1 },
  { lead: 'aVR', ofI: -0.5, ofII: -0.5 },
  { lead: 'aVL', ofI: 1, ofII: -0.5 },
  { lead: 'aVF', ofI: -0.5, ofII: 1 },
]

/** Leads with their samples, one array per lead, all of one length. */
export interface LeadSignals {
  readonly leads: readonly string[]
  readonly signalMv: readonly Float32Array[]
}

/**
 * Computes the limb leads that a recording with I and II lacks: III = II - I, aVR = -(I + II) / 2, aVL = I - II / 2,
 * aVF = II - I / 2.
 *
 * @returns the missing ones of the four, in that order; none where I or II is missing
 */
export function derivedLeads({ leads, signalMv }: LeadSignals): LeadSignals {
  const one = signalMv[leads.indexOf('I')]
  const two = signalMv[leads.indexOf('II')]
  if (!one || !two) return { leads: [], signalMv: [] }
  const missing = derivations.filter(({ lead }) => !leads.includes(lead))
  return {
    leads: missing.map(({ lead }) => lead),
    signalMv: missing.map(({ ofI, ofII }) => one.map((value, i) => ofI * value + ofII * two[i]!)), // of one length
  }
}
