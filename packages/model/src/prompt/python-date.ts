const [days, months] = [
  ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'],
  [
    'January',
    'February',
    'March',
    'April',
    'May',
    'June',
    'July',
    'August',
    'September',
    'October',
    'November',
    'December',
  ],
] as const

const two = (value: number): string => String(value).padStart(2, '0')

const fields: Readonly<Record<string, (date: Date) => string>> = {
  a: date => days[date.getDay()]!.slice(0, 3), // 0 to 6
  A: date => days[date.getDay()]!, // 0 to 6
  b: date => months[date.getMonth()]!.slice(0, 3), // 0 to 11
  B: date => months[date.getMonth()]!, // 0 to 11
  d: date => two(date.getDate()),
  m: date => two(date.getMonth() + 1),
  y: date => two(date.getFullYear() % 100),
  Y: date => String(date.getFullYear()),
  H: date => two(date.getHours()),
  I: date => two(date.getHours() % 12 || 12),
  M: date => two(date.getMinutes()),
  S: date => two(date.getSeconds()),
  p: date => (date.getHours() < 12 ? 'AM' : 'PM'),
  '%': () => '%',
}

/** Python's `strftime` in English and local time, for the fields that chat templates use; others stay as they are. */
export function pythonDate(date: Date, format: string): string {
  return format.replaceAll(/%(.)/gs, (written, name: string) =>
    Object.hasOwn(fields, name) ? fields[name]!(date) : written,
  )
}
