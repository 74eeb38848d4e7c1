/** Bad calls of what moves elements. */
import {
  diag,
  diagEmbed,
  diagonal,
  expandDims,
  flatten,
  moveAxis,
  pad,
  pixelShuffle,
  pixelUnshuffle,
  roll,
  tensor,
  trace,
  tril,
  triu,
  zeros,
} from 'tenfold';
import type { BadInputs } from './types.js';

const matrix = zeros([2, 3]);

/** Options that no function has, and what is no options at all. */
const misspelt = { axess: 0 } as never;

export const movement: BadInputs = {
  moveAxis: [
    // @ts-expect-error moveAxis: axis 0 is named twice
    () => moveAxis(matrix, [0, 0], [0, 1]),
    // @ts-expect-error moveAxis: 2 axes go to 1 places
    () => moveAxis(matrix, [0, 1], 0),
    () => moveAxis(matrix, undefined as never, 0),
  ],
  expandDims: [
    // @ts-expect-error expandDims: axis 0 is named twice
    () => expandDims(matrix, [0, 0]),
    // @ts-expect-error expandDims: axis 9 is out of range for the result's rank 4
    () => expandDims(matrix, [0, 9]),
    () => expandDims(matrix, ['0'] as never),
  ],
  flatten: [
    () => flatten([1] as never),
    // @ts-expect-error flatten: axis 2 is out of range for rank 2
    () => flatten(matrix, { start: 2 }),
    // @ts-expect-error flatten: axis 0, the last, comes before axis 1, the first
    () => flatten(matrix, { start: 1, end: 0 }),
    // @ts-expect-error flatten: axis 0.5 is out of range for rank 2
    () => flatten(matrix, { end: 0.5 }),
    () => flatten(matrix, misspelt),
    () => flatten(matrix, 1 as never),
  ],
  roll: [
    () => roll([1, 2] as never, 1),
    () => roll(matrix, 0.5),
    () => roll(matrix, NaN),
    () => roll(matrix, Number.POSITIVE_INFINITY),
    () => roll(matrix, '1' as never),
    () => roll(matrix, undefined as never),
    // @ts-expect-error roll: 2 shifts are given for 1 axes
    () => roll(matrix, [1, 1], { axis: 0 }),
    // @ts-expect-error roll: axis 2 is out of range for rank 2
    () => roll(matrix, 1, { axis: 2 }),
    () => roll(matrix, 1, misspelt),
    () => roll(matrix, 1, 0 as never),
  ],
  pad: [
    () => pad([1] as never, [[1, 1]], {}),
    // @ts-expect-error pad: 1 pairs of widths are given for 2 axes
    () => pad(matrix, [[1, 1]]),
    () => pad(matrix, 1 as never),
    () =>
      pad(matrix, [
        [-1, 0],
        [0, 0],
      ]),
    () =>
      pad(matrix, [
        [0.5, 0],
        [0, 0],
      ]),
    () =>
      pad(matrix, [
        [NaN, 0],
        [0, 0],
      ]),
    () => pad(matrix, [1, 1] as never),
    () =>
      pad(
        matrix,
        [
          [0, 0],
          [3, 0],
        ],
        { mode: 'reflect' },
      ),
    () =>
      pad(
        matrix,
        [
          [0, 3],
          [0, 0],
        ],
        { mode: 'circular' },
      ),
    () => pad(zeros([0]), [[1, 0]], { mode: 'replicate' }),
    () => pad(zeros([0]), [[1, 0]], { mode: 'reflect' }),
    () =>
      pad(
        matrix,
        [
          [1, 1],
          [0, 0],
        ],
        { mode: 'edge' as never },
      ),
    () =>
      pad(
        matrix,
        [
          [1, 1],
          [0, 0],
        ],
        { mode: 'toString' as never },
      ),
    () =>
      pad(
        matrix,
        [
          [1, 1],
          [0, 0],
        ],
        { mode: null as never },
      ),
    () =>
      pad(
        matrix,
        [
          [1, 1],
          [0, 0],
        ],
        { mode: 'reflect', value: 0 },
      ),
    () =>
      pad(
        matrix,
        [
          [1, 1],
          [0, 0],
        ],
        { value: tensor(1) as never },
      ),
    () =>
      pad(
        matrix,
        [
          [1, 1],
          [0, 0],
        ],
        { value: 'x' as never },
      ),
    () => pad(zeros([1], { dtype: 'int32' }), [[1, 1]], { value: 0.5 }),
    () =>
      pad(
        matrix,
        [
          [1, 1],
          [0, 0],
        ],
        misspelt,
      ),
  ],
  tril: [
    () => tril([[1]] as never),
    // @ts-expect-error tril: a matrix has two axes or more
    () => tril(tensor([1])),
    () => tril(matrix, { k: 0.5 }),
    () => tril(matrix, { k: NaN }),
    () => tril(matrix, misspelt),
    () => tril(matrix, 1 as never),
  ],
  // @ts-expect-error triu: a matrix has two axes or more
  triu: [() => triu(1 as never), () => triu(tensor(1)), () => triu(matrix, { k: 1e12 }), () => triu(matrix, misspelt)],
  diagonal: [
    () => diagonal([[1]] as never),
    // @ts-expect-error diagonal: a matrix has two axes or more
    () => diagonal(tensor([1])),
    () => diagonal(matrix, { offset: 0.5 }),
    // @ts-expect-error diagonal: rows and columns are two axes
    () => diagonal(matrix, { axis1: 1 }),
    // @ts-expect-error diagonal: axis 2 is out of range for rank 2
    () => diagonal(matrix, { axis2: 2 }),
    () => diagonal(matrix, misspelt),
  ],
  trace: [
    () => trace([[1]] as never),
    // @ts-expect-error trace: a matrix has two axes or more
    () => trace(tensor([1])),
    () => trace(matrix, { offset: NaN }),
    // @ts-expect-error trace: rows and columns are two axes
    () => trace(matrix, { axis1: -1 }),
    () => trace(matrix, misspelt),
  ],
  diagEmbed: [
    () => diagEmbed([1] as never),
    // @ts-expect-error diagEmbed: a scalar is no diagonal
    () => diagEmbed(tensor(1)),
    () => diagEmbed(matrix, { offset: 0.5 }),
    () => diagEmbed(matrix, misspelt),
  ],
  diag: [
    () => diag([1] as never),
    // @ts-expect-error diag: it takes a vector or a matrix, not a tensor of rank 0
    () => diag(tensor(1)),
    // @ts-expect-error diag: it takes a vector or a matrix, not a tensor of rank 3
    () => diag(zeros([1, 1, 1])),
    () => diag(matrix, { k: 0.5 }),
    () => diag(matrix, misspelt),
  ],
  pixelShuffle: [
    () => pixelShuffle([1] as never, 2),
    // @ts-expect-error pixelShuffle: an image has the axes […, channels, height, width]
    () => pixelShuffle(matrix, 1),
    // @ts-expect-error pixelShuffle: 4 does not divide the 3 channels
    () => pixelShuffle(zeros([3, 2, 2]), 2),
    () => pixelShuffle(zeros([4, 2, 2]), 0),
    () => pixelShuffle(zeros([4, 2, 2]), 1.5),
  ],
  pixelUnshuffle: [
    () => pixelUnshuffle([1] as never, 2),
    // @ts-expect-error pixelUnshuffle: an image has the axes […, channels, height, width]
    () => pixelUnshuffle(matrix, 1),
    // @ts-expect-error pixelUnshuffle: 2 does not divide height and width, 3 and 2
    () => pixelUnshuffle(zeros([1, 3, 2]), 2),
    () => pixelUnshuffle(zeros([1, 2, 2]), NaN),
  ],
};
