/** Looks a weight up by its checkpoint name, such as `model.layers.0.mlp.up_proj.weight`. */
export type Weights<T> = (name: string) => T
