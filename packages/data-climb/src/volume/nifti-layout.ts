/** Where the fields of both header versions lie, and how they are read. */
export const niftiLayouts = {
  348: {
    magicAt: 344,
    dims: [40, 2],
    datatype: 70,
    pixdim: [76, 4],
    voxOffset: [108, 'f32'],
    slope: [112, 4],
    forms: 252,
    quatern: [256, 4],
    srow: [280, 4],
    calibrated: [124, 4],
  },
  540: {
    magicAt: 4,
    dims: [16, 8],
    datatype: 12,
    pixdim: [104, 8],
    voxOffset: [168, 'i64'],
    slope: [176, 8],
    forms: 344,
    quatern: [352, 8],
    srow: [400, 8],
    calibrated: [192, 8],
  },
} as const

/** Where the fields of a header version lie. */
export type NiftiLayout = (typeof niftiLayouts)[keyof typeof niftiLayouts]
