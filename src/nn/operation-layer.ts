/** Operations as layers. */
import { unaryOperand } from '../tensor/ops/common/operands.js';
import { type Tensor, wrap } from '../tensor/tensor.js';
import { type ShapedLayer, type ShapeMap, shaped } from './layer.js';

/** No parameters. */
export type NoParams = Readonly<Record<never, never>>;

/** @internal A function of a tensor as a layer without parameters. Integers become float32. */
export const operationLayer = <F extends ShapeMap>(
  operation: string,
  f: (x: Tensor) => Tensor,
): ShapedLayer<NoParams, F> =>
  shaped({
    init: () => Object.freeze({}),
    apply: (_: NoParams, x: Tensor): Tensor => f(wrap(unaryOperand(operation, x, { toFloat: true }))),
  });
