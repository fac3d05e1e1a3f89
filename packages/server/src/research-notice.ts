/** Said by the list of models, by every response's header and by the command line. */
export const researchNotice = 'Research use only, not a medical device'
