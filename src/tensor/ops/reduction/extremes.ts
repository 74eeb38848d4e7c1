/** The largest and smallest elements along axes, and where they are. */
import { b } from '../../build.js';
import type { DType } from '../../dtype.js';
import { ArgumentError } from '../../errors.js';
import { type Shape, sizeOf } from '../../shape.js';
import type { Fit, Ok } from '../../shape-types.js';
import { type Tensor, wrap } from '../../tensor.js';
import type { Reduce } from '../../types/axes.js';
import { castNode } from '../common/operands.js';
import { checkFlag, withOptions } from '../common/options.js';
import { axesOf, counted, keptShape, type ReductionOptions, reduceBy, refuseEmpty, usual } from './reducing.js';
import type { Reduction } from './reduction.js';

/** The search for a position along one axis, or in the flattened tensor; data-first and data-last. */
export interface ArgReduction<Op extends string> {
  <S extends Shape, D extends DType, const A extends number | undefined = undefined, K extends boolean = false>(
    x: Tensor<S, D>,
    options?: ReductionOptions<A, K> & Ok<Reduce<Op, S, A, K>>,
  ): Tensor<Fit<Reduce<Op, S, A, K>>, 'int32'>;
  <const A extends number | undefined = undefined, K extends boolean = false>(
    options?: ReductionOptions<A, K>,
  ): <S extends Shape, D extends DType>(
    x: Tensor<S, D> & Ok<Reduce<Op, S, A, K>>,
  ) => Tensor<Fit<Reduce<Op, S, A, K>>, 'int32'>;
  // The last signature is the one the compiler sees in `pipe(x, argmax)` and `vmap(argmax)`.
  <S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<readonly [], 'int32'>;
}

const extreme = <Op extends string>(operation: Op, primitive: 'reduceMax' | 'reduceMin'): Reduction<Op, 'same'> =>
  withOptions(operation, usual, (x: Tensor, options: ReductionOptions) => {
    const node = counted(operation)(x);
    const result = reduceBy(operation, node, options, (y, axes) => {
      refuseEmpty(operation, x, axes);
      return b[primitive](y, { axes });
    });
    return wrap(castNode(result, x.dtype));
  });

/**
 * The largest element along the axes; NaN if there is one. The derivative goes to the largest, shared equally where
 * there are several.
 *
 * @param x a tensor with at least one element along the axes
 * @param options the axes, and whether they stay; without an axis the largest of all
 * @returns the shape without the axes, and the dtype of `x`
 * @throws ShapeError when an axis is empty
 * @throws AxisError, ArgumentError as {@link sum}
 * @numpy np.max
 * @pytorch torch.amax
 * @example
 * ```js
 * import { max, tensor, zeros } from 'tenfold';
 * const x = tensor([[1, 5], [7, 3]]);
 * max(x).item(); // => 7
 * max(x, { axis: 1 }).toArray(); // => [5, 7]
 * max(zeros([0, 3]), { axis: 0 }); // throws ShapeError
 * ```
 */
export const max: Reduction<'max', 'same'> = extreme('max', 'reduceMax');

/**
 * The smallest element along the axes; NaN if there is one. The derivative goes to the smallest, shared equally where
 * there are several.
 *
 * @param x a tensor with at least one element along the axes
 * @param options the axes, and whether they stay; without an axis the smallest of all
 * @returns the shape without the axes, and the dtype of `x`
 * @throws ShapeError, AxisError, ArgumentError as {@link max}
 * @numpy np.min
 * @pytorch torch.amin
 * @example
 * ```js
 * import { min, tensor } from 'tenfold';
 * min(tensor([[1, 5], [7, 3]]), { axis: 1 }).toArray(); // => [1, 3]
 * ```
 */
export const min: Reduction<'min', 'same'> = extreme('min', 'reduceMin');

const arg = <Op extends 'argmax' | 'argmin'>(operation: Op, primitive: Op): ArgReduction<Op> =>
  withOptions(operation, usual, (x: Tensor, { axis, keepDims = false }: ReductionOptions<number | undefined>) => {
    const node = counted(operation)(x);
    if (Array.isArray(axis)) {
      throw new ArgumentError({
        operation,
        given: `the axes [${axis.join(', ')}]`,
        rule: 'a position is along one axis, or in the flattened tensor',
        hint: 'Give one axis, or none.',
      });
    }
    checkFlag(operation, 'keepDims', keepDims);
    const axes = axesOf(operation, node, axis);
    refuseEmpty(operation, x, axes);
    const flat = axis === undefined ? b.reshape(node, { shape: [sizeOf(node.shape)] }) : node;
    const result = b[primitive](flat, { axes: axis === undefined ? [0] : axes });
    return wrap(keepDims ? b.reshape(result, { shape: keptShape(node, axes) }) : result);
  });

/**
 * The position of the largest element along an axis: the first where there are several, that of the first NaN if
 * there is one.
 *
 * @param x a tensor with at least one element along the axis
 * @param options the axis, and whether it stays; without an axis the position in the flattened tensor
 * @returns the shape without the axis, int32
 * @throws ShapeError when the axis is empty
 * @throws AxisError, ArgumentError as {@link sum}
 * @numpy np.argmax
 * @pytorch torch.argmax
 * @example
 * ```js
 * import { argmax, tensor } from 'tenfold';
 * const x = tensor([[1, 5], [7, 3]]);
 * argmax(x).item(); // => 2
 * argmax(x, { axis: 1 }).toArray(); // => [1, 0]
 * ```
 */
export const argmax: ArgReduction<'argmax'> = arg('argmax', 'argmax');

/**
 * The position of the smallest element along an axis: the first where there are several, that of the first NaN if
 * there is one.
 *
 * @param x a tensor with at least one element along the axis
 * @param options the axis, and whether it stays; without an axis the position in the flattened tensor
 * @returns the shape without the axis, int32
 * @throws ShapeError, AxisError, ArgumentError as {@link argmax}
 * @numpy np.argmin
 * @pytorch torch.argmin
 * @example
 * ```js
 * import { argmin, tensor } from 'tenfold';
 * argmin(tensor([[1, 5], [7, 3]]), { axis: 1 }).toArray(); // => [0, 1]
 * ```
 */
export const argmin: ArgReduction<'argmin'> = arg('argmin', 'argmin');
