/** Coordinates of a grid. */
import { b } from '../../build.js';
import { ArgumentError, ShapeError } from '../../errors.js';
import { showAval } from '../../shape.js';
import type { Fit, Ok } from '../../shape-types.js';
import { isTensor, type Tensor, wrap } from '../../tensor.js';
import type { Grid, Indexing } from '../../types/joining.js';
import { kindOf } from '../common/checks.js';
import { broadcastNode, nodeFor } from '../common/operands.js';
import { checkOptions } from '../common/options.js';
import type { ShapesOf } from './joining.js';
import { swapAxes } from './movement.js';

/** The options of {@link meshgrid}. */
export interface MeshgridOptions<I extends Indexing = Indexing> {
  /** 'ij': axis i of the grids is that of the i-th vector. 'xy', the default: the first two are exchanged. */
  readonly indexing?: I;
}

/** One grid for each vector, of its dtype. */
export type Grids<T extends readonly Tensor[], X extends Indexing> = {
  readonly [I in keyof T]: Tensor<Fit<Grid<ShapesOf<T>, X>>, T[I]['dtype']>;
};

/** The signatures of {@link meshgrid}. */
export interface Meshgrid {
  <T extends readonly Tensor[], const X extends Indexing = 'xy'>(
    ...args: readonly [...xs: T, options: MeshgridOptions<X> & Ok<Grid<ShapesOf<T>, X>>]
  ): Grids<T, X>;
  <T extends readonly Tensor[]>(...xs: T & Ok<Grid<ShapesOf<T>, 'xy'>>): Grids<T, 'xy'>;
}

/**
 * The coordinates of all points of a grid, from vectors of those along its axes: one tensor for each vector, all of the
 * grid's shape. As in NumPy, `indexing` is 'xy' by default: vectors of n and m elements give m rows of n.
 *
 * @returns an array of tensors, each of the dtype of its vector; they take no memory until they are read
 * @throws ShapeError for tensors that are no vectors or scalars
 * @throws ArgumentError without a tensor, for what is none, and for another indexing
 * @numpy np.meshgrid
 * @pytorch torch.meshgrid
 * @example
 * ```js
 * import { meshgrid, tensor } from 'tenfold';
 * const [x, y] = meshgrid(tensor([1, 2, 3]), tensor([4, 5]));
 * x.toArray(); // => [[1, 2, 3], [1, 2, 3]]
 * y.toArray(); // => [[4, 4, 4], [5, 5, 5]]
 * meshgrid(tensor([1, 2, 3]), tensor([4, 5]), { indexing: 'ij' })[0].shape; // => [3, 2]
 * ```
 */
export const meshgrid: Meshgrid = (...args: readonly unknown[]): never => {
  const last = args[args.length - 1];
  const options = args.length > 0 && !isTensor(last) ? (last as MeshgridOptions) : undefined;
  checkOptions('meshgrid', ['indexing'], options);
  const { indexing = 'xy' } = options ?? {};
  const xs = (options === undefined ? args : args.slice(0, -1)).map(x => nodeFor('meshgrid', x));
  if (xs.length === 0 || (indexing !== 'xy' && indexing !== 'ij')) {
    throw new ArgumentError({
      operation: 'meshgrid',
      given: xs.length === 0 ? 'no tensor' : `${kindOf(indexing)} as indexing`,
      rule: xs.length === 0 ? 'a grid has one vector or more' : "indexing is 'ij' or 'xy'",
      hint: "Write meshgrid(x, y, { indexing: 'ij' }).",
    });
  }
  const high = xs.find(x => x.shape.length > 1);
  if (high !== undefined) {
    throw new ShapeError({
      operation: 'meshgrid',
      given: showAval(high),
      rule: 'coordinates along an axis are a vector',
      hint: 'Use flatten first.',
    });
  }
  const lengths = xs.map(x => x.shape[0] ?? 1);
  const swaps = indexing === 'xy' && xs.length > 1;
  return xs.map((x, axis) => {
    const along = b.reshape(x, { shape: lengths.map((n, i) => (i === axis ? n : 1)) });
    const grid = wrap(broadcastNode(along, lengths));
    return swaps ? swapAxes(grid, 0, 1) : grid;
  }) as never;
};
