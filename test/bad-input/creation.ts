/** Bad calls of what makes tensors. */
import { meshgrid, zeros } from 'tenfold';
import type { BadInputs } from './types.js';

const x = zeros([2]);

const misspelt = { type: 'int32' } as never;

export const creation: BadInputs = {
  meshgrid: [
    // @ts-expect-error meshgrid: a grid has one vector or more
    () => meshgrid(),
    () => meshgrid([1, 2] as never),
    () => meshgrid([1, 2] as never, x),
    // @ts-expect-error meshgrid: coordinates along an axis are a vector, not a tensor of rank 2
    () => meshgrid(zeros([2, 2])),
    () => meshgrid(x, { indexing: 'yx' as never }),
    () => meshgrid(x, misspelt),
    () => meshgrid(x, null as never),
  ],
};
