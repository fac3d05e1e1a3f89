/** A domain's id in words. */
export function domainTitle(domain: string): string {
  if (['ct', 'mri', 'ecg'].includes(domain)) return domain.toUpperCase()
  const words = domain.replaceAll('_', ' ').replace('xray', 'X-ray')
  return words.charAt(0).toUpperCase() + words.slice(1)
}
