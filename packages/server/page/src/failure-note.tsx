import { RequestFailure } from './server-api.ts'

/** Says what went wrong and what to do next. */
export function FailureNote({ failure }: { failure: unknown }) {
  if (failure === undefined) return null
  const isRefusal = failure instanceof RequestFailure
  return (
    <div role="alert" class="failure">
      <p>{isRefusal ? failure.message : 'The server could not be reached.'}</p>
      <p>{isRefusal ? failure.hint : 'Check that it still runs, then try again.'}</p>
    </div>
  )
}
