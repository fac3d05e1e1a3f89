import { defineErrors } from '@qoq-med/errors'

/** Every error of this package; codes start with `SERVER_`. Messages name fields, never the values that a request holds. */
export const serverErrors = defineErrors('SERVER', {
  ROUTE_UNKNOWN: {
    message: (p: { method: string }) => `There is no ${p.method} route at this address.`,
    hint: () =>
      'Routes: GET /health/live, /health/ready, /metrics, /v1/models, /v1/models/NAME, /v1/datasets, /v1/examples, /v1/runs, /v1/evaluations, /openapi.json, /docs; POST /v1/chat/completions, /v1/diagnose, /v1/diagnose/sr, /v1/view, /v1/score, /v1/rewards, /v1/advantages.',
    status: 404,
  },
  BODY_TOO_LARGE: {
    message: (p: { limitBytes: number }) => `The body is larger than ${p.limitBytes} bytes.`,
    hint: () => 'Send smaller pictures or fewer rows per request.',
    status: 413,
  },
  BODY_NOT_JSON: {
    message: () => 'The body is not JSON.',
    hint: () => 'Send one JSON document with the header content-type: application/json.',
  },
  MEDIA_TYPE: {
    message: () => 'The body has a content type that is not read.',
    hint: () => 'Send JSON with the header content-type: application/json.',
    status: 415,
  },
  REQUEST_INVALID: {
    message: (p: { field: string; problem: string }) =>
      `${p.field === '' ? 'The body' : `Field ${p.field}`} ${p.problem}.`,
    hint: () => 'Compare the body with the examples in the README of @qoq-med/server.',
  },
  LIMIT_EXCEEDED: {
    message: (p: { what: string; found: number; limit: number }) =>
      `The request asks for ${p.found} ${p.what}; this server takes at most ${p.limit}.`,
    hint: p => `Ask for fewer ${p.what}, or raise the limit where the server is started.`,
  },
  ECG_RATE: {
    message: (p: { found: number; least: number }) =>
      `An ECG is sampled at ${p.found} Hz; this server takes ${p.least} Hz and more.`,
    hint: () => 'Send the recording at its own rate, in samples per second (fs).',
  },
  MODEL_UNKNOWN: {
    message: (p: { served: string }) => `The model that the request names is not served; ${p.served} is.`,
    hint: p => `Set model to ${p.served}, or leave it out.`,
    status: 404,
  },
  REMOTE_URL_REFUSED: {
    message: (p: { field: string }) => `${p.field} is not a data URL, and this server opens no such address.`,
    hint: () => 'Send the picture itself: data:image/png;base64, followed by its bytes in base64.',
  },
  PICTURE_UNKNOWN: {
    message: () => 'There is no picture of this id, or it is not to be had any more.',
    hint: () => 'Ask for the run or evaluation again: it names the pictures that there are.',
    status: 404,
  },
  REMOTE_MEDIA_FAILED: {
    message: (p: { field: string; reason: string }) => `The picture of ${p.field} was not fetched: ${p.reason}.`,
    hint: () =>
      'Send the picture itself as a data URL, or let its host answer with it at once; an operator allows networks with --media-network.',
  },
  MEDIA_HOST_INVALID: {
    message: (p: { host: string }) => `${p.host} is no host.`,
    hint: () => 'Write its name alone, such as images.example.org, and its port where it is not the usual one.',
  },
  NETWORK_INVALID: {
    message: (p: { network: string }) => `${p.network} is no network.`,
    hint: () => 'Write an address and the length of its prefix, such as 10.1.0.0/16, or an address alone.',
  },
  DATA_URL_INVALID: {
    message: (p: { field: string }) => `${p.field} is not a data URL in base64.`,
    hint: () => 'Write data:image/png;base64, followed by the bytes of the picture in base64.',
  },
  IMAGE_FORMAT: {
    message: (p: { field: string }) => `${p.field} holds a file that is none of PNG, JPEG, GIF, WebP and BMP.`,
    hint: () => 'Convert the picture to PNG or JPEG.',
  },
  BUSY: {
    message: (p: { running: number; limit: number }) =>
      `The server writes ${p.running} answers of at most ${p.limit} and takes no more now.`,
    hint: () => 'Send the request again after the time in Retry-After.',
    status: 429,
  },
  CLIENT_GONE: {
    message: () => 'The client closed the connection before the answer was finished.',
    hint: () => 'Nothing is left to do; the answer was ended.',
    status: 499, // written to the log alone: nobody is there to read it
  },
  CLIENT_STALLED: {
    message: () => 'The client stayed connected and read nothing more of its answer.',
    hint: () => 'Nothing is left to do; the answer was ended.',
    status: 499, // written to the log alone: nobody reads it
  },
  REQUEST_TIMEOUT: {
    message: () => 'The request did not arrive whole in time.',
    hint: () => 'Send the request again, its headers and body without a pause.',
    status: 408,
  },
  HTTP_INVALID: {
    message: () => 'What was sent is no request of HTTP/1.1 that this server takes.',
    hint: () => 'Ask with a client of HTTP, and with headers of less than 16 KiB.',
  },
  CLOSING: {
    message: () => 'The server is being stopped and ended this answer.',
    hint: () => 'Send the request to another server, or again when this one is back.',
    status: 503,
  },
  ANSWER_MISSING: {
    message: (p: { expected: number; found: number }) => `The policy gave ${p.found} of ${p.expected} answers.`,
    hint: () => 'Send the request again; if it happens again, the policy is broken.',
    status: 500,
  },
  ADDRESS_UNAVAILABLE: {
    message: (p: { host: string; port: number; reason: string }) =>
      `The server cannot listen on ${p.host}, port ${p.port}: ${p.reason}.`,
    hint: () => 'Choose another --port or --host, or stop what listens there.',
  },
  UNEXPECTED: {
    message: (p: { requestId: string }) => `Request ${p.requestId} failed inside the server.`,
    hint: () => "Look the request's id up in the server's log.",
    status: 500,
  },
  KEY_MISSING: {
    message: () => 'This server asks for a key, and the request shows none.',
    hint: () => 'Send the header authorization: Bearer KEY; the operator makes keys with qoq keys add.',
    status: 401,
  },
  KEY_UNKNOWN: {
    message: () => 'The key of the request is not known, or was revoked.',
    hint: () => 'Ask the operator for a key; keys are listed with qoq keys list.',
    status: 401,
  },
  KEY_SCOPE: {
    message: (p: { scope: string }) => `The key of the request is not allowed ${p.scope}.`,
    hint: p => `Use a key that was made with qoq keys add --scope ${p.scope}.`,
    status: 403,
  },
  RATE_LIMIT: {
    message: (p: { limit: number }) =>
      `The key of the request may send ${p.limit} requests a minute, and has sent them.`,
    hint: () => 'Send the request again after the time in Retry-After.',
    status: 429,
  },
  HOST_REFUSED: {
    message: () => 'The request names a host that is not this server.',
    hint: () => 'Use an IP address or localhost, or allow the name with qoq serve --allow-host.',
    status: 403,
  },
  ORIGIN_REFUSED: {
    message: () => 'The request comes from a page of another site.',
    hint: () => 'Send it from a program or the page of this server, or allow the site with qoq serve --allow-origin.',
    status: 403,
  },
  FORM_TOKEN: {
    message: () => 'A form needs a key, or the header x-qoq-request.',
    hint: () => 'Add the header x-qoq-request: 1; pages of other sites cannot send it.',
    status: 403,
  },
  KEY_REQUIRED: {
    message: (p: { host: string }) => `Listening on ${p.host} without keys would let everyone who reaches it ask.`,
    hint: () => 'Make a key with qoq keys add, or listen on 127.0.0.1.',
  },
  KEY_FILE: {
    message: (p: { problem: string }) => `The file with keys ${p.problem}.`,
    hint: () => 'Check its path and permissions, or make a new one with qoq keys add.',
    status: 500,
  },
  KEY_ID_UNKNOWN: {
    message: (p: { id: string }) => `There is no key ${p.id}.`,
    hint: () => 'List the keys with qoq keys list.',
  },
  FORM_INVALID: {
    message: () => 'The body is no multipart form.',
    hint: () => 'Send the files as parts of multipart/form-data, as curl -F does, or as JSON in base64.',
  },
  DIAGNOSE_TASK: {
    message: (p: { problem: string }) => `The request cannot be answered: ${p.problem}.`,
    hint: () => 'Send files, and labels or a dataset to choose from, or a question.',
  },
  DATASET_UNKNOWN: {
    message: () => 'The dataset that the request names is not known.',
    hint: () => 'List the datasets with qoq data list, or send labels.',
    status: 404,
  },
  REPORT_SOURCE: {
    message: (p: { problem: string }) => `A DICOM report cannot be written: ${p.problem}.`,
    hint: () => 'Send DICOM pictures of one study; for other pictures ask /v1/diagnose for JSON or FHIR.',
  },
  SCHEMA_UNSUPPORTED: {
    message: (p: { what: string }) => `Answers cannot be held to what response_format asks for: ${p.what}.`,
    hint: () =>
      'Use enums, constants, strings, numbers, integers, booleans, arrays, objects whose properties are all required, anyOf, and $ref to a definition of the schema.',
  },
  WORK_TOO_LARGE: {
    message: (p: { limitMb: number }) =>
      `The request takes more memory than the ${p.limitMb} MiB that work on one may have.`,
    hint: () => 'Send smaller files, or fewer at a time.',
    status: 413,
  },
  SCORE_UNSUPPORTED: {
    message: () => 'The model that is served gives no log-probabilities of given texts.',
    hint: () => 'Serve a model of this machine, or ask for answers instead.',
  },
})
