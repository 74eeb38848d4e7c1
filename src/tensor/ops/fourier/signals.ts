/** What Fourier transforms take and give: signals in parts, and their transform along an axis. */
import { b } from '../../build.js';
import type { DType } from '../../dtype.js';
import { ArgumentError, ShapeError } from '../../errors.js';
import type { Node } from '../../graph.js';
import { checkInteger, normalizeAxis, range, type Shape, sameShape, sizeOf } from '../../shape.js';
import { isTensor, type Tensor, wrap } from '../../tensor.js';
import { kindOf, sameDType, showAll } from '../common/checks.js';
import { permuteNode, reshapeNode, sliceAlong } from '../common/moving.js';
import { times } from '../common/numbers.js';
import { checkSetting, unaryOperand } from '../common/operands.js';
import { checkOptions, withOptions } from '../common/options.js';
import { dft, type Signal, type Transform } from './transform.js';

/** A complex tensor: its real and its imaginary part, of one shape and dtype. */
export interface Complex<S extends Shape = Shape, D extends DType = DType> {
  readonly re: Tensor<S, D>;
  readonly im: Tensor<S, D>;
}

/** Where the factor 1 / n goes: to the inverse, as 1 / √n to both, or to the transform that is no inverse. */
export type FftNorm = 'backward' | 'ortho' | 'forward';

/** What {@link fft} and its kin take beside the signal. */
export interface FftOptions<N extends number = number, Axis extends number = number> {
  /** The length: the signal is cut, or zeros follow it. That of the axis where left out. */
  readonly n?: N;
  /** The axis. Default −1, the last. */
  readonly axis?: Axis;
  /** Default 'backward'. */
  readonly norm?: FftNorm;
}

const isRecord = (x: unknown): x is Readonly<Record<string, unknown>> =>
  typeof x === 'object' && x !== null && !isTensor(x) && ('re' in x || 'im' in x);

/** The parts of a complex or real operand, in one floating dtype. */
export const signalOf = (operation: string, x: unknown): Signal => {
  if (!isRecord(x)) return [unaryOperand(operation, x, { toFloat: true })];
  const parts = [x.re, x.im].map(part => unaryOperand(operation, part, { toFloat: true }));
  const [re, im] = sameDType(operation, parts) as [Node, Node];
  if (sameShape(re.shape, im.shape)) return [re, im];
  throw new ShapeError({
    operation,
    given: showAll([re, im]),
    rule: 'the real and the imaginary part have one shape',
    hint: 'Broadcast the smaller one first: broadcastTo(x, shape).',
  });
};

/** As {@link withOptions}, for functions that also take complex tensors. */
export const ofComplex = <F>(
  operation: string,
  names: readonly string[],
  f: (x: unknown, options: never) => unknown,
): F => {
  const call = withOptions<(...args: unknown[]) => unknown>(operation, names, f as never);
  return ((...args: unknown[]) => {
    const whole = (x: unknown, options: unknown): unknown => {
      checkOptions(operation, names, options);
      return f(x, (options ?? {}) as never);
    };
    if (isRecord(args[0])) return whole(args[0], args[1]);
    if (isTensor(args[0])) return call(...args);
    call(args[0]);
    return (x: unknown) => whole(x, args[0]);
  }) as F;
};

/** The factor of a transform of the length n. */
const factorOf = (operation: string, norm: unknown, n: number, sign: number): number => {
  if (norm === 'ortho') return 1 / Math.sqrt(n);
  if (norm === 'backward' || norm === 'forward') return (norm === 'forward') === sign < 0 ? 1 / n : 1;
  throw new ArgumentError({
    operation,
    given: `${kindOf(norm)} as norm`,
    rule: "norm is 'backward', 'ortho' or 'forward'",
    hint: "Leave it out for 'backward', where the inverse divides by the length.",
  });
};

/** What is done along one axis. */
interface Along {
  readonly axis: number;
  readonly n: number;
  readonly norm: unknown;
  readonly sign: -1 | 1;
}

/** A transform along an axis, as matrices of one signal a row. */
export const along = (
  operation: string,
  signal: Signal,
  { axis, n, norm, sign }: Along,
  how: Partial<Transform> = {},
  prepare: (x: Node) => Node = x => x,
): Signal => {
  const { shape } = signal[0];
  const factor = factorOf(operation, norm, n, sign);
  const toLast = [...range(shape.length).filter(i => i !== axis), axis];
  const others = toLast.slice(0, -1).map(i => shape[i]!);
  const wanted = how.wanted ?? n;
  const rows = signal.map(part => {
    const moved = permuteNode(part!, toLast);
    const flat = reshapeNode(moved, [sizeOf(others), shape[axis]!]);
    return prepare(sliceAlong(flat, 1, 0, Math.min(how.realOnly === true ? Math.floor(n / 2) + 1 : n, shape[axis]!)));
  });
  const back = range(shape.length).map(i => toLast.indexOf(i));
  const result = dft(rows as unknown as Signal, { ...how, n, sign, wanted });
  return result.map(part => {
    const moved = permuteNode(reshapeNode(part!, [...others, wanted]), back);
    return factor === 1 ? moved : times(moved, factor);
  }) as unknown as Signal;
};

/** A length of a transform: at least 1, and so that squares of places are exact. */
export const checkLength = (operation: string, n: unknown): number => {
  checkSetting(operation, 'n', n);
  return checkInteger(operation, 'the length n', n as number, 1, 2 ** 26);
};

/** The whole spectrum along an axis. */
export const wholeAlong = (
  operation: string,
  signal: Signal,
  sign: -1 | 1,
  { n, axis = -1, norm = 'backward' }: FftOptions,
) => {
  checkSetting(operation, 'axis', axis);
  const at = normalizeAxis(operation, axis, signal[0].shape);
  const length = checkLength(operation, n ?? signal[0].shape[at]);
  return along(operation, signal, { axis: at, n: length, norm, sign });
};

export const complexOf = ([re, im]: Signal): Complex => ({ re: wrap(re), im: wrap(im ?? b.sub(re, re)) });
