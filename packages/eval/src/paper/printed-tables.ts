// Tables 2 to 4 of the paper, digit by digit. A value that the paper does not print is NaN.

/** The columns of tables 2 and 4, as domains of ours; the last is the overall mean. */
export const tableColumns = [
  'chest_xray',
  'mammography',
  'dermoscopy',
  'ct',
  'fundus',
  'ultrasound',
  'mri',
  'pathology',
  'overall',
] as const

/** A column of tables 2 and 4. */
export type TableColumn = (typeof tableColumns)[number]

/** A row of table 2 or 4. */
export interface PrintedRow {
  readonly method: string
  /** [9] in the order of `tableColumns`. */
  readonly accuracy: readonly number[]
  /** [9] in the order of `tableColumns`. */
  readonly f1: readonly number[]
}

/** Accuracy and F1 alternate, as printed: `.679 .077 …`; a dash is not printed. */
function printedRow(method: string, text: string): PrintedRow {
  const values = text.split(' ').map(value => (value === '-' ? Number.NaN : Number(value)))
  return {
    method,
    accuracy: values.filter((_value, index) => index % 2 === 0),
    f1: values.filter((_value, index) => index % 2 === 1),
  }
}

/** Table 2: training methods. */
export const table2: readonly PrintedRow[] = [
  printedRow('SFT', '.679 .077 .726 .182 .624 .158 .571 .257 .669 .083 .561 .235 .520 .197 .653 .083 .625 .159'),
  printedRow('PPO', '.670 .064 .738 .205 .668 .278 .571 .257 .669 .083 .490 .080 .767 .540 .745 .364 .665 .234'),
  printedRow('ReMax', '.689 .083 .468 .064 .652 .241 .525 .234 .669 .083 .538 .177 .533 .243 .715 .274 .599 .175'),
  printedRow(
    'REINFORCE++',
    '.687 .085 .466 .059 .641 .240 .525 .228 .670 .088 .502 .087 .520 .197 .702 .227 .589 .151',
  ),
  printedRow('RLOO', '.695 .092 .466 .058 .635 .215 .522 .256 .673 .103 .532 .158 .625 .375 .710 .249 .607 .188'),
  printedRow('GRPO', '.696 .096 .466 .058 .640 .245 .525 .236 .669 .083 .499 .086 .647 .396 .762 .404 .613 .200'),
  printedRow(
    'DRPO by domain',
    '.694 .085 .746 .211 .678 .286 .571 .257 .669 .083 .544 .200 .757 .505 .773 .449 .679 .259',
  ),
  printedRow(
    'DRPO without KL',
    '.685 .103 .711 .264 .691 .382 .597 .365 .676 .085 .554 .228 .722 .535 .710 .300 .668 .283',
  ),
  printedRow('DRPO', '.691 .125 .759 .253 .707 .400 .580 .321 .670 .088 .568 .240 .806 .652 .707 .303 .686 .286'),
]

/** Table 4: other models. */
export const table4: readonly PrintedRow[] = [
  printedRow('LLaVA-Med', '.088 - .049 - .466 - .448 - .434 - .448 - .363 - .000 - .287 -'),
  printedRow('Med-R1', '.641 .002 .596 .029 .630 .000 .530 .007 .671 .062 .549 .008 .550 .000 .659 .000 .603 .013'),
  printedRow('o4-mini', '.198 .189 .297 .271 .467 .445 .441 .389 .378 .354 .267 .205 .725 .775 .514 .522 .411 .394'),
  printedRow('GPT-4o', '.261 .244 .036 .056 .442 .383 .222 .228 .401 .299 .244 .231 .896 .908 .575 .565 .385 .364'),
  printedRow('QoQ-Med-7B', '.691 .125 .759 .253 .707 .400 .580 .321 .670 .088 .568 .240 .806 .652 .707 .303 .686 .286'),
  printedRow(
    'QoQ-Med-32B',
    '.732 .203 .758 .224 .661 .290 .571 .257 .691 .148 .609 .260 .904 .810 .726 .336 .707 .316',
  ),
]

/** A row of table 3: MIMIC-IV, by what the model was given. */
export interface MimicRow {
  readonly method: string
  /** Accuracy and macro-F1 of length of stay (eqs. 16, 17). */
  readonly stay: { readonly accuracy: number; readonly f1: number }
  /** Accuracy and F1 of 48-hour mortality (eqs. 18, 19). */
  readonly mortality: { readonly accuracy: number; readonly f1: number }
}

/** Table 3: inputs of MIMIC-IV. */
export const table3: readonly MimicRow[] = [
  { method: 'GRPO, full', stay: { accuracy: 0.626, f1: 0.105 }, mortality: { accuracy: 0.551, f1: 0.354 } },
  { method: 'DRPO, text', stay: { accuracy: 0.645, f1: 0.195 }, mortality: { accuracy: 0.563, f1: 0.583 } },
  { method: 'DRPO, ecg+text', stay: { accuracy: 0.639, f1: 0.204 }, mortality: { accuracy: 0.602, f1: 0.528 } },
  { method: 'DRPO, vision+text', stay: { accuracy: 0.669, f1: 0.223 }, mortality: { accuracy: 0.596, f1: 0.586 } },
  { method: 'DRPO, full', stay: { accuracy: 0.663, f1: 0.283 }, mortality: { accuracy: 0.642, f1: 0.597 } },
]
