/** Said wherever an answer is shown. */
export const researchNotice =
  'Research use only; not a medical device. Do not use this answer to diagnose or treat anyone.'
