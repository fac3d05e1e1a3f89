/** The heads of table 2 by domain, in its order; ECG and multimodal follow, which that table does not have. */
export const tableHeads: Readonly<Record<string, string>> = {
  chest_xray: 'CXR',
  mammography: 'Mammo.',
  dermoscopy: 'Dermoscopy',
  ct: 'CT Scan',
  fundus: 'Fundus',
  ultrasound: 'Ultrasound',
  mri: 'MRI',
  pathology: 'Pathology',
  ecg: 'ECG',
  multimodal: 'Multimodal',
}

/** Domains that are there, in the order of table 2. */
export function domainsInOrder(present: Readonly<Record<string, unknown>>): string[] {
  const all = [...Object.keys(tableHeads), ...Object.keys(present)]
  return all.filter((domain, index) => Object.hasOwn(present, domain) && all.indexOf(domain) === index)
}

/** How a domain is called in tables. */
export function domainName(domain: string): string {
  return Object.hasOwn(tableHeads, domain) ? tableHeads[domain]! : domain
}
