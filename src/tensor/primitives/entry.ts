/** How entries of elementwise primitives are written: what they take, their scalar meaning, their partial derivatives. */
import { type DType, isFloat } from '../dtype.js';
import { DTypeError, ShapeError } from '../errors.js';
import type { Node } from '../graph.js';
import { type Aval, sameShape, showAval } from '../shape.js';
import type { Elementwise, Missing, Partial, Trait } from './kinds.js';
import type { Build } from './signatures.js';

/** The dtypes a primitive computes on, as messages name them. */
const domains = {
  numbers: ['float32', 'float64', 'int32', 'uint32'],
  floats: ['float32', 'float64'],
  bits: ['int32', 'uint32', 'uint8', 'bool'],
  shifts: ['int32', 'uint32'],
  words: ['uint32'],
  all: ['float32', 'float64', 'int32', 'uint32', 'uint8', 'bool'],
} as const satisfies Record<string, readonly DType[]>;

type Domain = keyof typeof domains;
export type Scalar = (...operands: number[]) => number;
type Rule = (b: Build, node: Node) => readonly Partial[];

/** Checks operands of one shape and dtype within a domain. */
export const operands = (name: string, domain: Domain, inputs: readonly Aval[]): Aval => {
  const first = inputs[0]!;
  for (const input of inputs) {
    if (!sameShape(input.shape, first.shape)) {
      throw new ShapeError({
        operation: name,
        given: inputs.map(showAval).join(' and '),
        rule: 'operands must have one shape',
        hint: 'Broadcast them first.',
      });
    }
    if (input.dtype !== first.dtype || !(domains[domain] as readonly DType[]).includes(input.dtype)) {
      throw new DTypeError({
        operation: name,
        given: inputs.map(showAval).join(' and '),
        rule: `operands must have one dtype out of ${domains[domain].join(', ')}`,
        hint: "Cast first: cast(x, 'float32').",
      });
    }
  }
  return first;
};

interface Options {
  readonly domain?: Domain;
  readonly traits?: readonly Trait[];
  /** The result's dtype where it is not that of the operands. */
  readonly result?: DType;
  /** The scalar meaning on integers and bool, where it is another one. */
  readonly integer?: Scalar;
}

export const cheap: readonly Trait[] = ['cheap'];
export const cheapCommutative: readonly Trait[] = ['cheap', 'commutative'];

/** An entry without static parameters. */
export const entry = (
  name: string,
  scalar: Scalar,
  partials: Rule | Missing,
  { domain = 'floats', traits = [], result, integer }: Options = {},
): Elementwise<Readonly<Record<never, never>>> => ({
  kind: 'elementwise',
  traits,
  aval: inputs => {
    const first = operands(name, domain, inputs);
    return result === undefined ? first : { shape: first.shape, dtype: result };
  },
  scalar: (_, dtype) => (integer !== undefined && !isFloat(dtype) ? integer : scalar),
  partials,
});

export const noTangent: Missing = { none: 'its results are no floating-point numbers, so there is no tangent' };
