/** Chooses one of the runs or evaluations of the folder. */
export function NameSelect({
  label,
  names = [],
  name,
  onChoose,
}: {
  label: string
  names: readonly string[] | undefined
  name: string | undefined
  onChoose: (name: string) => void
}) {
  return (
    <label>
      {label}
      <select value={name} onChange={event => onChoose(event.currentTarget.value)}>
        {names.map(one => (
          <option key={one}>{one}</option>
        ))}
      </select>
    </label>
  )
}
