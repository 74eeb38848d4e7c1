/** What draws with parameters share: their arguments, and uniform words as numbers. */
import { b } from '../tensor/build.js';
import { type DType, type FloatDType, isFloat, promote } from '../tensor/dtype.js';
import { DTypeError, ShapeError } from '../tensor/errors.js';
import type { Node } from '../tensor/graph.js';
import { plus, times } from '../tensor/ops/common/numbers.js';
import { broadcastNode, castNode, checkSetting, nodeFor } from '../tensor/ops/common/operands.js';
import { checkOptions } from '../tensor/ops/common/options.js';
import { full, scalar } from '../tensor/primitives/full.js';
import { broadcastShapes, checkArgument, checkShape, type Shape, sameShape, showShape } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { drawWords, type Key, keyNode } from './key.js';

/** Options of draws with parameters. */
export interface DrawOptions<S extends Shape = Shape, D extends FloatDType = FloatDType> {
  /** Of the result; default that which the parameters broadcast to. */
  readonly shape?: S;
  /** Default that of the parameters, float32 where they are numbers or integers. */
  readonly dtype?: D;
}

/** A parameter of a draw: numbers are the same for all elements. */
export type Parameter = Tensor | number;

/** Checks a dtype that may come from untyped code. */
export const checkFloatDType = (operation: string, dtype: DType): FloatDType => {
  if (dtype === 'float32' || dtype === 'float64') return dtype;
  throw new DTypeError({
    operation,
    given: `the dtype ${String(dtype)}`,
    rule: 'it draws float32 or float64',
    hint: 'Cast the draw to anything else.',
  });
};

/** A parameter by name; a number that is not `allowed` is refused. */
export interface Named {
  readonly name: string;
  readonly value: unknown;
  readonly rule: string;
  readonly allowed: (x: number) => boolean;
}

/** The key and the parameters of a draw in its dtype and shape. */
export const parametersOf = (
  operation: string,
  key: Key,
  named: readonly Named[],
  options: DrawOptions,
): { readonly key: Node; readonly nodes: readonly Node[] } => {
  const node = keyNode(operation, key);
  checkOptions(operation, ['shape', 'dtype'], options);
  const tensors = named.map(({ name, value, rule, allowed }): Node | number => {
    if (isTensor(value)) return nodeFor(operation, value);
    checkArgument(
      typeof value === 'number' && allowed(value),
      operation,
      `${typeof value} ${String(value)} as the ${name}`,
      `the ${name} is ${rule}, or a tensor of such`,
      'Where it is computed, give a tensor: then it is NaN that comes of a bad one.',
    );
    return value as number;
  });
  const nodes = tensors.filter(each => typeof each !== 'number');
  const floating = nodes.map(({ dtype }): DType => (isFloat(dtype) ? dtype : 'float32'));
  checkSetting(operation, 'dtype', options.dtype);
  const dtype = checkFloatDType(
    operation,
    options.dtype ?? floating.reduce((x, y) => promote(operation, x, y), floating[0] ?? 'float32'),
  );
  const common = broadcastShapes(operation, ...nodes.map(({ shape }) => shape), []);
  const shape = checkShape(operation, options.shape ?? common);
  if (!sameShape(broadcastShapes(operation, common, shape), shape)) {
    throw new ShapeError({
      operation,
      given: `parameters of shape ${showShape(common)} and the shape ${showShape(shape)}`,
      rule: 'the parameters broadcast to the shape of the draw',
      hint: 'Put the axes of the parameters last.',
    });
  }
  return {
    key: node,
    nodes: tensors.map(each =>
      broadcastNode(typeof each === 'number' ? scalar(b, each, dtype) : castNode(each, dtype), shape),
    ),
  };
};

/** Rules for numbers as parameters. */
export const positive = {
  rule: 'a positive finite number',
  allowed: (x: number): boolean => x > 0 && Number.isFinite(x),
};

export const notNegative = {
  rule: 'a finite number not below 0',
  allowed: (x: number): boolean => x >= 0 && Number.isFinite(x),
};

/** Uniform strictly between 0 and 1: the middles of 2²³ cells in float32, of 2⁵² in float64, which are exact. */
export const openUnit = (key: Node, shape: Shape, dtype: FloatDType): Node => {
  const top = (word: 0 | 1 | 'xor', drop: number): Node => {
    const words = drawWords(key, shape, word);
    return castNode(b.shiftRightLogical(words, full(b, words, drop)), dtype);
  };
  if (dtype === 'float32') return times(plus(top('xor', 9), 0.5), 2 ** -23);
  return times(plus(b.add(times(top(0, 6), 2 ** 26), top(1, 6)), 0.5), 2 ** -52);
};
