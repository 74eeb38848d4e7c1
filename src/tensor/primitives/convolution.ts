/**
 * Convolution: a trilinear form of which one argument is left out.
 *
 * With input x [n, g, c, …s], kernel w [g, o, c, …k] and output y [n, g, o, …t] it is T(x, w, y) = Σ x · w · y over all
 * indices with s = t · stride + k · dilation − low on every spatial axis. The primitive gives what stands beside the factor
 * that is left out:
 *
 * - `of: 'output'`: y[n, g, o, t] = Σ x · w over c and k, the convolution of networks (a cross-correlation);
 * - `of: 'input'`: x[n, g, c, s] = Σ w · y over o and those k for which there is a t; the transposed convolution;
 * - `of: 'kernel'`: w[g, o, c, k] = Σ x · y over n and t.
 *
 * So each is the derivative of the others, and one rule transposes all. Zeros of the padding are data: they are multiplied,
 * and 0 · ∞ is NaN. So is a zero for a whole t beyond the ends of y; where t is no integer there is no term. An operand without
 * elements gives zeros.
 */
import { DTypeError, ShapeError } from '../errors.js';
import type { Node } from '../graph.js';
import { type Aval, sameShape, showAval, showShape } from '../shape.js';
import type { BatchRule, Contraction } from './kinds.js';
import { moveAxis } from './movement.js';
import type { Build, ConvParams, ConvRole } from './signatures.js';

const roles: readonly ConvRole[] = ['input', 'kernel', 'output'];

/** Where each of the letters stands. */
const letters: Readonly<Record<ConvRole, Readonly<Record<string, number>>>> = {
  input: { n: 0, g: 1, c: 2 },
  kernel: { g: 0, o: 1, c: 2 },
  output: { n: 0, g: 1, o: 2 },
};

/** Spatial axes are the ones from here on. */
export const firstSpatial = 3;

/** The roles of the two operands. */
export const operandRoles = (of: ConvRole): readonly [ConvRole, ConvRole] =>
  roles.filter(role => role !== of) as [ConvRole, ConvRole];

/** At how many places a kernel lies on an input, along one axis. */
export const outputLength = (
  input: number,
  kernel: number,
  stride: number,
  dilation: number,
  [low, high]: readonly [number, number],
): number => Math.max(0, Math.floor((input + low + high - dilation * (kernel - 1) - 1) / stride) + 1);

const given = (inputs: readonly Aval[]): string => inputs.map(showAval).join(' and ');

const refuse = (inputs: readonly Aval[], rule: string, hint: string): never => {
  throw new ShapeError({ operation: 'conv', given: given(inputs), rule, hint });
};

/** The lengths that the operands have for the letters. */
const lengthsOf = (inputs: readonly Aval[], of: ConvRole): ReadonlyMap<string, number> => {
  const lengths = new Map<string, number>();
  operandRoles(of).forEach((role, operand) => {
    for (const [letter, axis] of Object.entries(letters[role])) {
      const length = inputs[operand]!.shape[axis]!;
      const known = lengths.get(letter) ?? length;
      if (known !== length) {
        const names = operandRoles(of).join(' and ');
        refuse(inputs, `as ${names} they have ${known} and ${length} for ${letter}`, 'Check groups and channels.');
      }
      lengths.set(letter, length);
    }
  });
  return lengths;
};

/** Checks that the spatial lengths of the three are such as go together. */
const checkSpatial = (inputs: readonly Aval[], { of, strides, dilation, padding, size }: ConvParams): void => {
  const lists = [...inputs.map(({ shape }) => shape.slice(firstSpatial)), strides, dilation, padding];
  const whole = [...strides, ...dilation].every(n => Number.isInteger(n) && n >= 1);
  if (lists.some(list => list.length !== size.length) || !whole) {
    refuse(
      inputs,
      `strides [${strides.join(', ')}], dilation [${dilation.join(', ')}], padding and lengths ${showShape(size)} of the result must be one positive integer a spatial axis`,
      'The first three axes are no spatial ones.',
    );
  }
  const lengths = new Map(operandRoles(of).map((role, i) => [role, inputs[i]!.shape.slice(firstSpatial)]));
  const at = (role: ConvRole): readonly number[] => lengths.get(role) ?? size;
  const fitting = at('input').map((length, axis) =>
    outputLength(length, at('kernel')[axis]!, strides[axis]!, dilation[axis]!, padding[axis]!),
  );
  if (!sameShape(fitting, at('output'))) {
    refuse(
      inputs,
      `an input of the lengths ${showShape(at('input'))} and a kernel of ${showShape(at('kernel'))} have an output of ${showShape(fitting)}, not ${showShape(at('output'))}`,
      'It is ⌊(input + padding − dilation · (kernel − 1) − 1) / stride⌋ + 1.',
    );
  }
};

const convAval = (inputs: readonly Aval[], params: ConvParams): Aval => {
  const { dtype } = inputs[0]!;
  if (dtype !== inputs[1]!.dtype || dtype === 'bool' || dtype === 'uint8') {
    throw new DTypeError({
      operation: 'conv',
      given: given(inputs),
      rule: 'operands must have one dtype out of float32, float64, int32, uint32',
      hint: "Cast first: cast(x, 'float32').",
    });
  }
  checkSpatial(inputs, params);
  const lengths = lengthsOf(inputs, params.of);
  return { shape: [...Object.keys(letters[params.of]).map(letter => lengths.get(letter)!), ...params.size], dtype };
};

/** The cotangent of one operand: it becomes what is left out, and the cotangent stands for the result. */
const convTranspose = (b: Build, ct: Node, node: Node, params: ConvParams, operand: 0 | 1): Node => {
  const wanted = operandRoles(params.of);
  const other = node.inputs[1 - operand]!;
  const of = wanted[operand];
  const [first] = operandRoles(of);
  const [x, y] = first === params.of ? [ct, other] : [other, ct];
  return b.conv(x, y, { ...params, of, size: node.inputs[operand]!.shape.slice(firstSpatial) });
};

/**
 * A batch is more of a letter that those who have it share: the result and one operand, or, where both have it, the groups.
 * It goes before what there is of the letter, and is taken from there afterwards.
 */
const convBatch: BatchRule<ConvParams> = (b, inputs, batched, params, size) => {
  const given = operandRoles(params.of);
  const both = batched[0] === batched[1];
  const one = batched[0] ? 0 : 1;
  const result = letters[params.of];
  const letter = Object.keys(result).find(each => (each === 'g') === both && each in letters[given[one]])!;
  const [x, y] = inputs.map((node, i) => {
    if (!batched[i]) return node;
    const at = letters[given[i]!]![letter]!;
    const moved = moveAxis(b, node, 0, at);
    return b.reshape(moved, { shape: moved.shape.toSpliced(at, 2, size * moved.shape[at + 1]!) });
  });
  const conv = b.conv(x!, y!, params);
  const at = result[letter]!;
  const own = inputs[one]!.shape[letters[given[one]]![letter]! + 1]!;
  return moveAxis(b, b.reshape(conv, { shape: conv.shape.toSpliced(at, 1, size, own) }), at, 0);
};

export const convolution: Contraction<ConvParams> = {
  kind: 'contraction',
  aval: convAval,
  transpose: convTranspose,
  batch: convBatch,
};
