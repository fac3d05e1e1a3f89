import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Where the Python part lies: in this repository, or in the published package, into which packing copies it. */
const places = ['../../../../tooling/verl-plugin', '../../plugin']

/** The folder that holds the Python package `qoq_cluster`. */
export function pluginFolder(): string {
  const folders = places.map(place => fileURLToPath(new URL(place, import.meta.url)))
  return folders.find(folder => existsSync(`${folder}/qoq_cluster/__init__.py`)) ?? folders[0]! // there are two
}
