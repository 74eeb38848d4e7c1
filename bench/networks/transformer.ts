/**
 * A small transformer, written once for all libraries: layer norm in front of each part, attention of all tokens of a sequence
 * to each other, two dense layers with a ReLU between them. The tokens of all sequences are the rows of one matrix.
 */
import { type Input, uniform } from '../inputs.js';

/** What a library has to offer for it. */
export interface TransformerOps<T> {
  /** The same once more, where functions own their arguments. */
  readonly again: (x: T) => T;
  readonly add: (x: T, y: T) => T;
  readonly relu: (x: T) => T;
  /** x·weight + bias. */
  readonly dense: (x: T, weight: T, bias: T) => T;
  /** x·table, and to each token that of its place added. */
  readonly embed: (x: T, table: T, places: T) => T;
  /** Of rows. */
  readonly norm: (x: T, gain: T, shift: T) => T;
  /** Softmax attention in {@link heads} heads, of the tokens of each sequence. */
  readonly attend: (queries: T, keys: T, values: T) => T;
}

export const heads = 4;
export const sequence = 32;

export interface TransformerSizes {
  /** Sequences of {@link sequence} tokens. */
  readonly batch: number;
  readonly layers: number;
  readonly width: number;
  /** Of the layer between the dense ones. */
  readonly hidden: number;
  /** How many different tokens there are. */
  readonly tokens: number;
}

const perLayer = 16;
const beside = 6;

/** Logits of each token, x being a row of one 1 and zeros for each. Parameters are used in their order, each once. */
export const transformer = <T>(ops: TransformerOps<T>, params: readonly T[], x: T): T => {
  let used = 0;
  const next = (): T => params[used++]!;
  const { again, add, relu, dense, embed, norm, attend } = ops;
  let h = embed(x, next(), next());
  for (let layer = 0; layer < (params.length - beside) / perLayer; layer++) {
    const told = norm(again(h), next(), next());
    const queries = dense(again(told), next(), next());
    const keys = dense(again(told), next(), next());
    const values = dense(told, next(), next());
    h = add(h, dense(attend(queries, keys, values), next(), next()));
    const inner = dense(norm(again(h), next(), next()), next(), next());
    h = add(h, dense(relu(inner), next(), next()));
  }
  return dense(norm(h, next(), next()), next(), next());
};

/** Shapes of the parameters, in the order in which {@link transformer} takes them. */
export const transformerShapes = ({
  layers,
  width,
  hidden,
  tokens,
}: TransformerSizes): readonly (readonly number[])[] => {
  const dense = (from: number, to: number): number[][] => [[from, to], [to]];
  const norm = [[width], [width]];
  const square = dense(width, width);
  const layer = [...norm, ...square, ...square, ...square, ...square, ...norm, ...dense(width, hidden)];
  return [
    [tokens, width],
    [sequence, width],
    ...Array.from({ length: layers }, () => [...layer, ...dense(hidden, width)]).flat(),
    ...norm,
    ...dense(width, tokens),
  ];
};

/** Weights have a variance that keeps that of what they multiply, but for the first: its rows are taken as they are. */
export const transformerParams = (sizes: TransformerSizes, seed: number): readonly Input[] =>
  transformerShapes(sizes).map((shape, i) => {
    const bound = shape.length === 1 ? 0.1 : i < 2 ? 1 : Math.sqrt(3 / shape[0]!);
    return uniform(seed + i, shape, -bound, bound);
  });
