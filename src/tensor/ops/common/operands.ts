/** How public operations take their arguments: numbers beside tensors, broadcasting, promotion, both argument orders. */
import { b } from '../../build.js';
import { type DType, dtypeOfNumber, isFloat, promote } from '../../dtype.js';
import { ArgumentError, DTypeError, TraceError } from '../../errors.js';
import type { Node } from '../../graph.js';
import { full } from '../../primitives/full.js';
import { broadcastShapes, type Shape, sameShape, showAval } from '../../shape.js';
import { isTensor, nodeOf, type Tensor, wrap } from '../../tensor.js';

/** What an operation takes where it takes a tensor: a number stands for a scalar of the other operand's dtype. */
export type Operand = Tensor | number;

/**
 * A function that takes its first argument last as well: `f(x, y)` and `pipe(x, f(y))`. Which one is meant is
 * told by the number of arguments, or, where some are optional, by whether the first is a tensor.
 */
export const dual = <F>(told: number | 'tensor', f: (...args: never[]) => unknown): F => {
  const call = f as (...args: unknown[]) => unknown;
  const whole =
    told === 'tensor'
      ? (args: unknown[]) => isTensor(args[0]) && !isWeakNumber(args[0])
      : (args: unknown[]) => args.length >= told;
  return ((...args: unknown[]) => (whole(args) ? call(...args) : (x: unknown) => call(x, ...args))) as F;
};

/** A placeholder of a JavaScript number: it takes the dtype of what it meets, as the number would. */
export const isWeakNumber = (x: unknown): boolean => isTensor(x) && nodeOf(x).weak?.kind === 'number';

/** The node of a tensor; a placeholder of a number where a tensor is wanted is one of float32, as tensor(2) is. */
export const strongNode = (x: Tensor): Node => {
  const node = nodeOf(x);
  return node.weak?.kind === 'number' ? b.cast(node, { dtype: 'float32' }) : node;
};

/** As dtypeOfNumber, for a placeholder of a number. */
export const dtypeOfWeak = (operation: string, x: Tensor, other: DType): DType => {
  const { weak } = nodeOf(x);
  return weak?.kind === 'number' ? weak.meet(operation, other) : other;
};

/**
 * Refuses a placeholder where a number or boolean sets the operation up.
 *
 * @throws TraceError
 */
export const checkSetting = (operation: string, what: string, value: unknown): void => {
  if (!isTensor(value)) return;
  throw new TraceError({
    operation,
    given: `${String(value)} as ${what}`,
    rule: `${what} must be known when the operation is written down`,
    hint: 'Give a JavaScript value.',
  });
};

/** What came in the place of a tensor, in words. */
const describe = (x: unknown): string => {
  if (x === null || x === undefined) return String(x);
  if (typeof x === 'object') return Array.isArray(x) ? 'an array' : 'an object';
  return typeof x === 'function' ? 'a function' : `${typeof x} ${String(x)}`;
};

/** The node of an argument that must be a tensor. */
export const nodeFor = (operation: string, x: unknown): Node => {
  if (isTensor(x)) return strongNode(x);
  throw new ArgumentError({
    operation,
    given: describe(x),
    rule: 'a tensor belongs there',
    hint: 'Make one with tensor([…]).',
  });
};

const isNumber = (x: unknown): x is number => typeof x === 'number';

/** Casts where the dtype is another one. */
export const castNode = (x: Node, dtype: DType): Node => (x.dtype === dtype ? x : b.cast(x, { dtype }));

/** Broadcasts where the shape is another one. */
export const broadcastNode = (x: Node, shape: Shape): Node =>
  sameShape(x.shape, shape) ? x : b.broadcast(x, { shape });

/** The dtypes an operation computes in, and what happens to operands of others. */
export interface Domain {
  /** bool operands count as int32. */
  readonly boolAsInt?: boolean;
  /** Integers and bool become float32. */
  readonly toFloat?: boolean;
  /** uint8 is storage and refused unless the operation only moves or compares. */
  readonly storage?: boolean;
}

/** The dtype an operation computes in, given that of its operands. */
const computing = (
  operation: string,
  dtype: DType,
  { boolAsInt = false, toFloat = false, storage = false }: Domain,
): DType => {
  if (dtype === 'uint8' && !storage) {
    throw new DTypeError({
      operation,
      given: 'a tensor of uint8',
      rule: 'uint8 is for storage; arithmetic on it would overflow at 255',
      hint: "Cast it first: cast(x, 'float32').",
    });
  }
  if (toFloat && !isFloat(dtype)) return 'float32';
  return boolAsInt && dtype === 'bool' ? 'int32' : dtype;
};

/** One operand in the dtype the operation computes in. */
export const unaryOperand = (operation: string, x: unknown, domain: Domain): Node => {
  const node = nodeFor(operation, x);
  return castNode(node, computing(operation, node.dtype, domain));
};

/**
 * Operands brought to one dtype and one shape.
 *
 * @throws ShapeError, DTypeError naming the operation and what it was given
 */
export const commonOperands = (operation: string, operands: readonly unknown[], domain: Domain): Node[] => {
  const nodes = operands.filter(x => !isNumber(x) && !isWeakNumber(x)).map(x => nodeFor(operation, x));
  if (nodes.length === 0) {
    if (operands.some(isWeakNumber)) return commonOperands(operation, operands.map(asTensor), domain);
    throw new ArgumentError({
      operation,
      given: `only numbers (${operands.join(', ')})`,
      rule: 'at least one operand is a tensor',
      hint: 'Make a scalar with tensor(2), or compute it with plain JavaScript.',
    });
  }
  for (const node of nodes) computing(operation, node.dtype, domain);
  let dtype = nodes.map(node => node.dtype).reduce((x, y) => promoteShown(operation, x, y, nodes));
  for (const x of operands) {
    if (isNumber(x)) dtype = dtypeOfNumber(operation, x, dtype);
    else if (isWeakNumber(x)) dtype = dtypeOfWeak(operation, x as Tensor, dtype);
  }
  dtype = computing(operation, dtype, domain);
  const shape = broadcastShapes(operation, ...nodes.map(node => node.shape));
  return operands.map(x =>
    isNumber(x) ? full(b, { shape, dtype }, x) : broadcastNode(castNode(nodeOf(x as Tensor), dtype), shape),
  );
};

const asTensor = (x: unknown): unknown => (isWeakNumber(x) ? wrap(strongNode(x as Tensor)) : x);

const promoteShown = (operation: string, x: DType, y: DType, nodes: readonly Node[]): DType => {
  try {
    return promote(operation, x, y);
  } catch (error) {
    if (!(error instanceof DTypeError)) throw error;
    throw new DTypeError({ operation, given: nodes.map(showAval).join(' and '), rule: error.rule, hint: error.hint });
  }
};
