/** How the group `ops_shape` calls what takes elements by their positions. */
import {
  at,
  bincount,
  gather,
  type IndexItem,
  newAxis,
  nonzero,
  oneHot,
  scatterAdd,
  scatterAddAlong,
  scatterAlong,
  searchsorted,
  type Tensor,
  take,
  takeAlong,
} from 'tenfold';
import type { Args, Inputs, Operation, Operations } from '../operations.js';
import { arrayOf, type Json, numberOf, stringOf } from '../read.js';

type Indices = Tensor<readonly number[], 'int32'>;

const entryOf = (entry: Json): IndexItem => {
  if (entry === 'new') return newAxis;
  if (!Array.isArray(entry)) return numberOf(entry);
  const [start, stop, step] = arrayOf(entry).map(bound => (bound === null ? null : numberOf(bound)));
  return [start!, stop!, step!];
};

const along =
  (apply: (x: Tensor, index: Indices, options: { readonly axis: number }) => Tensor): Operation =>
  ({ x, index }: Inputs, { axis }: Args) =>
    apply(x!, index as Indices, { axis: numberOf(axis) });

const into =
  (apply: (x: Tensor, index: Indices, src: Tensor, options: { readonly axis: number }) => Tensor): Operation =>
  ({ x, index, src }: Inputs, { axis }: Args) =>
    apply(x!, index as Indices, src!, { axis: numberOf(axis) });

export const indexing: Operations = {
  slice: ({ x }, { index }) => at(x!, ...arrayOf(index).map(entryOf)),
  gather: along(gather),
  take_along_axis: along(takeAlong),
  index_select: along(take),
  take_axis: along(take),
  index_pairs: ({ x, i, j }) => at(x!, i as Indices, j as Indices),
  scatter_add: into(scatterAddAlong),
  scatter: into(scatterAlong),
  index_add: into(scatterAdd),
  one_hot: ({ index }, { num_classes }) => oneHot(index as Indices, numberOf(num_classes), { dtype: 'int32' }),
  nonzero: ({ x }) => nonzero(x!),
  // PyTorch's `minlength` is the least number of counts: there are as many as the largest element asks for.
  bincount: ({ x }, { minlength }) => {
    const values = x as Indices;
    return bincount(values, { length: Math.max(numberOf(minlength), bincount(values).shape[0]) });
  },
  searchsorted: ({ a, v }, { side }) => searchsorted(a!, v!, { side: stringOf(side) as 'left' | 'right' }),
};
