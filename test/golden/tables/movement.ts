/** How the group `ops_shape` calls what moves elements to other places, and what makes tensors. */
import {
  arange,
  broadcastTo,
  chunk,
  concat,
  diagEmbed,
  diagonal,
  expandDims,
  eye,
  flatten,
  flip,
  linspace,
  meshgrid,
  moveAxis,
  pad,
  permute,
  pixelShuffle,
  pixelUnshuffle,
  repeat,
  reshape,
  roll,
  split,
  squeeze,
  stack,
  swapAxes,
  tile,
  tril,
  triu,
  unstack,
} from 'tenfold';
import type { Args, Operations } from '../operations.js';
import { arrayOf, numberOf, numbersOf, stringOf } from '../read.js';

type Arg = Args[string];

const numberOrNumbers = (arg: Arg): number | readonly number[] => (Array.isArray(arg) ? numbersOf(arg) : numberOf(arg));

const axisOf = (args: Args): { readonly axis: number } => ({ axis: numberOf(args.axis) });

/** The sizes of pieces of one size, the last one perhaps smaller. */
const piecesOf = (length: number, size: number): readonly number[] =>
  Array.from({ length: Math.ceil(length / size) }, (_, i) => Math.min(size, length - i * size));

export const movement: Operations = {
  permute: ({ x }, args) => permute(x!, numbersOf(args.axes)),
  swapaxes: ({ x }, args) => swapAxes(x!, numberOf(args.axis1), numberOf(args.axis2)),
  moveaxis: ({ x }, args) => moveAxis(x!, numberOrNumbers(args.source), numberOrNumbers(args.destination)),
  reshape: ({ x }, args) => reshape(x!, numbersOf(args.shape)),
  permute_reshape: ({ x }, args) => reshape(permute(x!, numbersOf(args.axes)), numbersOf(args.shape)),
  squeeze: ({ x }, { axis }) => (axis === null ? squeeze(x!) : squeeze(x!, numberOf(axis))),
  expand_dims: ({ x }, args) => expandDims(x!, numberOf(args.axis)),
  flatten: ({ x }, args) => flatten(x!, { start: numberOf(args.start_axis), end: numberOf(args.end_axis) }),
  broadcast_to: ({ x }, args) => broadcastTo(x!, numbersOf(args.shape)),
  flip: ({ x }, args) => flip(x!, numbersOf(args.axes)),
  roll: ({ x }, { shift, axis }) =>
    roll(x!, numberOrNumbers(shift), { axis: axis === null ? null : numberOrNumbers(axis) }),
  tile: ({ x }, args) => tile(x!, numbersOf(args.reps)),
  repeat_interleave: ({ x }, args) =>
    args.axis === null
      ? repeat(flatten(x!), numberOrNumbers(args.repeats))
      : repeat(x!, numberOrNumbers(args.repeats), axisOf(args)),
  pad: ({ x }, { pads, mode, value }) =>
    pad(x!, arrayOf(pads).map(numbersOf) as unknown as readonly [number, number][], {
      mode: stringOf(mode) as 'constant',
      ...(value === undefined ? {} : { value: numberOf(value) }),
    }),
  concat: (_, args, { xs }) => concat(xs!, axisOf(args)),
  stack: (_, args, { xs }) => stack(xs!, axisOf(args)),
  split: ({ x }, args) => {
    const sizes = args.size_or_sizes;
    const length = x!.shape.at(numberOf(args.axis))!;
    return split(x!, Array.isArray(sizes) ? numbersOf(sizes) : piecesOf(length, numberOf(sizes)), axisOf(args));
  },
  chunk: ({ x }, args) => chunk(x!, numberOf(args.chunks), axisOf(args)),
  unbind: ({ x }, args) => unstack(x!, axisOf(args)),
  tril: ({ x }, args) => tril(x!, { k: numberOf(args.k) }),
  triu: ({ x }, args) => triu(x!, { k: numberOf(args.k) }),
  diag_embed: ({ x }, args) => diagEmbed(x!, { offset: numberOf(args.k) }),
  diagonal: ({ x }, args) => diagonal(x!, { offset: numberOf(args.k), axis1: -2, axis2: -1 }),
  pixel_shuffle: ({ x }, args) => pixelShuffle(x!, numberOf(args.factor)),
  pixel_unshuffle: ({ x }, args) => pixelUnshuffle(x!, numberOf(args.factor)),
  meshgrid: (inputs, args) => meshgrid(...Object.values(inputs), { indexing: stringOf(args.indexing) as 'ij' }),
  arange: (_, { start, stop, step }, __, dtype) => arange(numberOf(start), numberOf(stop), numberOf(step), { dtype }),
  linspace: (_, { start, stop, num }, __, dtype) => linspace(numberOf(start), numberOf(stop), numberOf(num), { dtype }),
  eye: (_, { n, m }, __, dtype) => eye(numberOf(n), { m: numberOf(m), dtype }),
};
