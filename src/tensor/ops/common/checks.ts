/** Checks of arguments that several operations share. */
import { type DType, dtypes, fits, isDType, isFloat, promote } from '../../dtype.js';
import { AxisError, DTypeError } from '../../errors.js';
import type { Node } from '../../graph.js';
import { type Aval, checkArgument, type Shape, showAval, showShape } from '../../shape.js';
import { isTensor, nodeOf } from '../../tensor.js';
import { castNode, unaryOperand } from './operands.js';

/**
 * A dtype that may come from untyped code.
 *
 * @throws DTypeError when there is no such dtype
 */
export const checkDType = <D extends DType>(operation: string, dtype: D): D => {
  if (isDType(dtype)) return dtype;
  throw new DTypeError({
    operation,
    given: `the dtype ${String(dtype)}`,
    rule: `the dtypes are ${dtypes.join(', ')}`,
    hint: "Leave it out for the default, or write { dtype: 'float32' }.",
  });
};

/** Whether the dtype can hold the number, floats up to rounding. */
const holds = (dtype: DType, value: number): boolean =>
  isFloat(dtype) || (dtype === 'bool' ? value === 0 || value === 1 : fits(value, dtype));

/**
 * Checks that the dtype can hold a number; floats hold all of them, rounded.
 *
 * @throws DTypeError for a fraction or a number out of range in an integer dtype, or other than 0 and 1 in bool
 */
export const checkHolds = (operation: string, dtype: DType, value: number, where = ''): void => {
  if (holds(dtype, value)) return;
  throw new DTypeError({
    operation,
    given: `the number ${value}${where} for dtype ${dtype}`,
    rule: {
      bool: 'bool holds true and false, or 0 and 1 for them',
      int32: 'int32 holds the integers from −2147483648 to 2147483647',
      uint32: 'uint32 holds the integers from 0 to 4294967295',
      uint8: 'uint8 holds the integers from 0 to 255',
      float32: '',
      float64: '',
    }[dtype],
    hint: `Use a float dtype, or convert on purpose: cast(tensor(…), '${dtype}').`,
  });
};

/**
 * Nodes cast to the dtype they meet in; their shapes stay as they are.
 *
 * @throws DTypeError where no dtype holds the values of all
 */
export const sameDType = (operation: string, nodes: readonly Node[]): Node[] => {
  try {
    const dtype = nodes.map(node => node.dtype).reduce((x, y) => promote(operation, x, y));
    return nodes.map(node => castNode(node, dtype));
  } catch (error) {
    if (!(error instanceof DTypeError)) throw error;
    throw new DTypeError({ operation, given: showAll(nodes), rule: error.rule, hint: error.hint });
  }
};

/** Operands of a product in the dtype they meet in, bool as int32 if all are; their shapes stay as they are. */
export const factors = (operation: string, xs: readonly unknown[]): Node[] => {
  const nodes = sameDType(
    operation,
    xs.map(x => unaryOperand(operation, x, {})),
  );
  return nodes.map(x => (x.dtype === 'bool' ? castNode(x, 'int32') : x));
};

/** `float32[2, 3] and int32[4]`, for messages; of many the first and the last. */
export const showAll = (nodes: readonly Aval[]): string => {
  const shown = nodes.length > 6 ? [...nodes.slice(0, 4), null, nodes[nodes.length - 1]!] : nodes;
  return shown.map(node => (node === null ? '…' : showAval(node))).join(' and ');
};

/** A value of any kind, for messages. */
export const kindOf = (value: unknown): string => {
  if (value === null || value === undefined) return String(value);
  if (isTensor(value)) return nodeOf(value).weak === null ? 'a tensor' : String(value);
  if (Array.isArray(value)) return `an array of length ${value.length}`;
  if (typeof value === 'string') return `the string '${value}'`;
  if (typeof value === 'object' || typeof value === 'function') {
    return `a value of class ${Object.prototype.toString.call(value).slice(8, -1)}`;
  }
  return `the ${typeof value} ${String(value)}`;
};

/**
 * A list that may come from untyped code.
 *
 * @throws ArgumentError when it is no array
 */
export const checkList = (operation: string, what: string, list: unknown): void => {
  checkArgument(
    Array.isArray(list),
    operation,
    `${typeof list} ${String(list)} as ${what}`,
    `${what} come in an array`,
    'Put them in brackets, also when there is only one.',
  );
};

/**
 * A new axis as the result counts it.
 *
 * @throws AxisError when the result has no such axis
 */
export const newAxis = (operation: string, axis: number, shape: Shape): number => {
  const rank = shape.length + 1;
  if (Number.isInteger(axis) && axis >= -rank && axis < rank) return axis < 0 ? axis + rank : axis;
  throw new AxisError({
    operation,
    given: `axis ${axis} and the shape ${showShape(shape)}`,
    rule: `the new axis is an integer from ${-rank} to ${rank - 1}`,
    hint: 'It is counted in the result, which has one axis more; −1 is the last.',
  });
};
