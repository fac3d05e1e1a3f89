interface GradeChoiceProps {
  readonly name: string
  readonly text: string
  readonly choices: readonly string[]
  readonly value: string | undefined
  readonly onGrade: (name: string, value: string) => void
}

/** A statement or box with the grades that it can get. */
export function GradeChoice({ name, text, choices, value, onGrade }: GradeChoiceProps) {
  return (
    <fieldset class="grade">
      <legend>{text}</legend>
      {choices.map(choice => (
        <label key={choice}>
          <input type="radio" name={name} checked={value === choice} onChange={() => onGrade(name, choice)} /> {choice}
        </label>
      ))}
    </fieldset>
  )
}
