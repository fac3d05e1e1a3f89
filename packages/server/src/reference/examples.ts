const messages = [{ role: 'user', content: 'Is there an effusion?' }]
const labels = ['Pneumonia', 'No Finding']
/** A grey picture of 8 by 8 pixels. */
const picture = 'iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAAAAADhZOFXAAAADklEQVR42mNogAIGyhgAgIQgARDoahcAAAAASUVORK5CYII='

/** A body for each route; the structured report needs a DICOM file in the place of its words. */
export const bodyExamples: Readonly<Record<string, object>> = {
  'POST /v1/chat/completions': { messages, max_tokens: 64, temperature: 0 },
  'POST /v1/diagnose': { files: [{ name: 'chest.png', data: picture }], labels, text: 'Cough for a week.' },
  'POST /v1/diagnose/sr': { files: [{ name: 'chest.dcm', data: 'BASE64 OF A DICOM FILE' }], labels },
  'POST /v1/view': { files: [{ name: 'chest.png', data: picture }] },
  'POST /v1/score': { messages, completions: labels },
  'POST /v1/rewards': {
    rows: [{ id: 1, response: '<think>Wet lungs.</think> \\boxed{Edema}', answer: ['Edema'], modality: 'chest_xray' }],
  },
  'POST /v1/advantages': {
    estimator: 'drpo',
    rewards: [1, 0, 0.5, 1],
    questionIds: ['a', 'a', 'b', 'b'],
    domains: ['ecg', 'ecg', 'mri', 'mri'],
  },
}

/** Fields of a form that a route takes beside JSON; a value with @ is a file. */
export const formExamples: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>> = {
  'POST /v1/diagnose': { file: '@chest.dcm', labels, probabilities: 'true' },
  'POST /v1/diagnose/sr': { file: '@chest.dcm', labels },
  'POST /v1/view': { file: '@chest.dcm' },
}
