import type { DicomElement } from '@qoq-med/data-climb'

/** A coded concept: code value, coding scheme, meaning. */
export type Code = readonly [value: string, scheme: string, meaning: string]

/** How an item belongs to the one that it stands in (PS3.3 C.17.3.2.4). */
export type Relationship = 'CONTAINS' | 'HAS OBS CONTEXT' | 'HAS CONCEPT MOD' | 'SELECTED FROM'

/** Characters of a code's meaning. */
const maxMeaning = 64

/** A code as an item of a sequence. */
export function codeItem([value, scheme, meaning]: Code): DicomElement[] {
  return [
    [0x00080100, 'SH', value],
    [0x00080102, 'SH', scheme],
    [0x00080104, 'LO', meaning.slice(0, maxMeaning)],
  ]
}

/** A content item: what it is called, its relationship, and what it holds. */
export function contentItem(
  type: 'CODE' | 'TEXT' | 'UIDREF' | 'SCOORD' | 'IMAGE' | 'CONTAINER',
  relationship: Relationship,
  { name, elements }: { readonly name?: Code; readonly elements: readonly DicomElement[] },
): DicomElement[] {
  return [
    [0x0040a010, 'CS', relationship],
    [0x0040a040, 'CS', type],
    ...(name ? ([[0x0040a043, 'SQ', [codeItem(name)]]] as const) : []),
    ...elements,
  ]
}

/** An item with a coded value. */
export function codedItem(relationship: Relationship, name: Code, value: Code): DicomElement[] {
  return contentItem('CODE', relationship, { name, elements: [[0x0040a168, 'SQ', [codeItem(value)]]] })
}

/** An item with a text. */
export function textItem(relationship: Relationship, name: Code, text: string): DicomElement[] {
  return contentItem('TEXT', relationship, { name, elements: [[0x0040a160, 'UT', text]] })
}

/** An item with a unique identifier. */
export function uidItem(relationship: Relationship, name: Code, uid: string): DicomElement[] {
  return contentItem('UIDREF', relationship, { name, elements: [[0x0040a124, 'UI', uid]] })
}

/** A container of items, by a template where it follows one. */
export function containerElements(items: readonly (readonly DicomElement[])[], template?: string): DicomElement[] {
  const follows: readonly DicomElement[] = [
    [0x00080105, 'CS', 'DCMR'],
    [0x0040db00, 'CS', template ?? ''],
  ]
  return [
    [0x0040a050, 'CS', 'SEPARATE'],
    ...(template ? ([[0x0040a504, 'SQ', [follows]]] as const) : []),
    [0x0040a730, 'SQ', items],
  ]
}
