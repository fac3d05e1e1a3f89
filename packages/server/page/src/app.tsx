import { useEffect, useState } from 'preact/hooks'
import { EvaluationsTab } from './evaluations/evaluations-tab.tsx'
import { RunsTab } from './runs/runs-tab.tsx'
import { getJson } from './server-api.ts'
import { Tabs } from './tabs.tsx'
import { TryTab } from './try/try-tab.tsx'

/** The page: a model to try, the runs that trained it, and its evaluations. */
export function App() {
  const model = useServedModel()
  const tabs = [
    { id: 'try', title: 'Try', body: <TryTab /> },
    { id: 'runs', title: 'Training runs', body: <RunsTab /> },
    { id: 'evaluations', title: 'Evaluations', body: <EvaluationsTab /> },
  ]
  return (
    <>
      <header>
        <h1>QoQ-Med</h1>
        <p class="model">{model ?? 'asking which model is served'}</p>
        <p>
          <a href="/docs">Routes for programs</a>
        </p>
        <p class="notice">Research use only, not a medical device</p>
      </header>
      <Tabs tabs={tabs} />
    </>
  )
}

function useServedModel(): string | undefined {
  const [model, setModel] = useState<string>()
  useEffect(() => {
    getJson<{ data: readonly { id: string }[] }>('/v1/models')
      .then(({ data }) => setModel(data[0]?.id ?? 'no model'))
      .catch(() => setModel('the server does not answer'))
  }, [])
  return model
}
