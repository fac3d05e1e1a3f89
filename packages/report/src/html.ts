/** Text as it may stand in HTML, in an element or a quoted attribute. */
export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

/** A table; every cell is text. */
export function htmlTable(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const body = rows.map(row => tableRow('td', row)).join('')
  return `<table><thead>${tableRow('th', heads)}</thead><tbody>${body}</tbody></table>`
}

function tableRow(tag: 'th' | 'td', cells: readonly string[]): string {
  return `<tr>${cells.map(cell => `<${tag}>${escapeHtml(cell)}</${tag}>`).join('')}</tr>`
}

/** A whole page that needs no other file. `sections` are HTML. */
export function htmlPage(title: string, sections: readonly string[]): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>${escapeHtml(title)}</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; color: #1a1a1a }
h1, h2, h3 { line-height: 1.2 } h2 { margin-top: 2.5rem; border-bottom: 1px solid #ddd; padding-bottom: .3rem }
table { border-collapse: collapse; font-variant-numeric: tabular-nums } th, td { padding: .25rem .75rem; text-align: left; border-bottom: 1px solid #eee }
pre { white-space: pre-wrap; background: #f6f6f6; padding: .75rem; overflow-wrap: anywhere } .charts { display: flex; flex-wrap: wrap; gap: 1.5rem }
.notice { background: #fff4d6; padding: .5rem .75rem } svg, img { max-width: 100%; height: auto }
</style>
<h1>${escapeHtml(title)}</h1>
<p class="notice">Research use only; not a medical device.</p>
${sections.join('\n')}
</html>
`
}
