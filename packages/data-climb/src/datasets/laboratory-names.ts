/**
 * Laboratory values of blood that are never left out of a record, in the order in which they are read: electrolytes and
 * kidney, blood count, clotting, heart, blood gas, liver. Names as in MIMIC-IV's `d_labitems` (which spells "Asparate").
 */
const clinicalOrder: readonly string[] = [
  'Sodium',
  'Potassium',
  'Chloride',
  'Bicarbonate',
  'Anion Gap',
  'Urea Nitrogen',
  'Creatinine',
  'Glucose',
  'Calcium, Total',
  'Magnesium',
  'Phosphate',
  'White Blood Cells',
  'Hemoglobin',
  'Hematocrit',
  'Platelet Count',
  'INR(PT)',
  'PT',
  'PTT',
  'Troponin T',
  'Troponin I',
  'Creatine Kinase (CK)',
  'Creatine Kinase, MB Isoenzyme',
  'NTproBNP',
  'Lactate',
  'pH',
  'pO2',
  'pCO2',
  'Base Excess',
  'Calculated Total CO2',
  'Oxygen Saturation',
  'Specimen Type',
  'Sodium, Whole Blood',
  'Potassium, Whole Blood',
  'Free Calcium',
  'Alanine Aminotransferase (ALT)',
  'Asparate Aminotransferase (AST)',
  'Alkaline Phosphatase',
  'Bilirubin, Total',
  'Albumin',
  'Lipase',
  'C-Reactive Protein',
  'D-Dimer',
]

const rankByName: ReadonlyMap<string, number> = new Map(clinicalOrder.map((name, i) => [name.toLowerCase(), i]))

/** Names a laboratory value by what it is and of which fluid: `Glucose` is that of blood, `Glucose (urine)` another one. */
export function laboratoryName(label: string, fluid: string): string {
  const of = fluid.trim().toLowerCase()
  return of === '' || of === 'blood' ? label : `${label} (${of})`
}

/** Orders names by the clinical list, then by code unit. */
export function byClinicalOrder(a: string, b: string): number {
  const [rankA, rankB] = [a, b].map(name => rankByName.get(name.toLowerCase()) ?? clinicalOrder.length) as [
    number,
    number,
  ] // two names
  return rankA - rankB || (a < b ? -1 : a > b ? 1 : 0)
}
