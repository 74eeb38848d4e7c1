/** Cells of recurrent networks: one step from a state to the next. */
import { uniform } from '../random/draw.js';
import { type Key, split } from '../random/key.js';
import { ShapeError } from '../tensor/errors.js';
import { kindOf } from '../tensor/ops/common/checks.js';
import { checkFlag, checkOptions } from '../tensor/ops/common/options.js';
import { matmul } from '../tensor/ops/contraction/contraction.js';
import { add, mul, sub } from '../tensor/ops/elementwise/arithmetic.js';
import { sigmoid, tanh } from '../tensor/ops/elementwise/elementary.js';
import { relu } from '../tensor/ops/elementwise/rectifiers.js';
import * as joining from '../tensor/ops/movement/joining.js';
import { transpose } from '../tensor/ops/movement/movement.js';
import { checkArgument, checkInteger, sameShape, showAval, showShape } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import type { Layer } from './layer.js';
import { inputOf, parameter } from './normalisation.js';

/**
 * Parameters of the cells: weightIh [gates · hidden, inputs], weightHh [gates · hidden, hidden], and where there are biases,
 * biasIh and biasHh [gates · hidden]. There are 4 gates of {@link lstmCell}, 3 of {@link gruCell} and 1 of {@link rnnCell}.
 */
export type CellParams<Bias extends boolean = true> = Bias extends true
  ? { readonly weightIh: Tensor; readonly weightHh: Tensor; readonly biasIh: Tensor; readonly biasHh: Tensor }
  : { readonly weightIh: Tensor; readonly weightHh: Tensor };

/** Options of the cells. */
export interface CellOptions<Bias extends boolean = boolean> {
  /** Whether vectors are added to the gates. Default true. */
  readonly bias?: Bias;
}

/** The function that a plain recurrent network applies. */
export type Nonlinearity = 'tanh' | 'relu';

/** Options of {@link rnnCell}. */
export interface RnnCellOptions<Bias extends boolean = boolean> extends CellOptions<Bias> {
  /** Default `'tanh'`. */
  readonly nonlinearity?: Nonlinearity;
}

/** The state of {@link lstmCell}: what it gives out, and what it keeps. Both are […, hidden]. */
export interface LstmState {
  readonly h: Tensor;
  readonly c: Tensor;
}

/** @internal A kind of cell: from what the input and the last output give to the gates, and what was kept. */
export interface CellKind {
  readonly gates: number;
  readonly keeps: boolean;
  readonly step: (fromInput: Tensor, fromOutput: Tensor, last: LstmState) => LstmState;
}

/** Equal parts of the last axis. */
const parts = (x: Tensor, count: number): readonly Tensor[] =>
  joining.chunk(x, count, { axis: -1 }) as unknown as readonly Tensor[];

const nonlinearities: Readonly<Record<Nonlinearity, (x: Tensor) => Tensor>> = { tanh, relu };

/** @internal A plain cell, of one sum and a function of it. */
export const rnnKind = (operation: string, nonlinearity: unknown = 'tanh'): CellKind => {
  checkArgument(
    typeof nonlinearity === 'string' && Object.hasOwn(nonlinearities, nonlinearity),
    operation,
    `nonlinearity: ${String(nonlinearity)}`,
    "the nonlinearity is 'tanh' or 'relu'",
    "Leave it out for 'tanh'.",
  );
  const f = nonlinearities[nonlinearity as Nonlinearity];
  return {
    gates: 1,
    keeps: false,
    step: (fromInput, fromOutput, { c }) => ({ h: f(add(fromInput, fromOutput) as Tensor), c }),
  };
};

/** @internal Gates in PyTorch's order: input, forget, cell, output. */
export const lstmKind: CellKind = {
  gates: 4,
  keeps: true,
  step: (fromInput, fromOutput, last) => {
    const [i, f, g, o] = parts(add(fromInput, fromOutput) as Tensor, 4) as [Tensor, Tensor, Tensor, Tensor];
    const c = add(mul(sigmoid(f), last.c), mul(sigmoid(i), tanh(g))) as Tensor;
    return { h: mul(sigmoid(o), tanh(c)) as Tensor, c };
  },
};

/** @internal Gates in PyTorch's order: reset, update, new; the reset gate is applied to what the last output gives. */
export const gruKind: CellKind = {
  gates: 3,
  keeps: false,
  step: (fromInput, fromOutput, { h, c }) => {
    const [fromR, fromZ, fromN] = parts(fromInput, 3) as [Tensor, Tensor, Tensor];
    const [toR, toZ, toN] = parts(fromOutput, 3) as [Tensor, Tensor, Tensor];
    const r = sigmoid(add(fromR, toR) as Tensor);
    const z = sigmoid(add(fromZ, toZ) as Tensor);
    const n = tanh(add(fromN, mul(r, toN)) as Tensor);
    return { h: add(n, mul(z, sub(h, n))) as Tensor, c };
  },
};

/** Sizes of the parameters of a cell. */
interface CellSizes {
  readonly gates: number;
  readonly inputs: number;
  readonly hidden: number;
  /** Length of what the cell gives out, where that is a linear function of its hidden elements. */
  readonly projected?: number | undefined;
}

/** @internal First parameters as in PyTorch: uniform within ±1/√hidden. */
export const firstCell = (key: Key, { gates, inputs, hidden, projected }: CellSizes, bias: boolean): CellParams => {
  const bound = 1 / Math.sqrt(hidden);
  const keys = split(key, projected === undefined ? 4 : 5) as readonly Key[];
  const draw = (i: number, ...shape: readonly number[]): Tensor =>
    uniform(keys[i]!, shape, { low: -bound, high: bound });
  const width = gates * hidden;
  return Object.freeze({
    weightIh: draw(0, width, inputs),
    weightHh: draw(1, width, projected ?? hidden),
    ...(bias ? { biasIh: draw(2, width), biasHh: draw(3, width) } : {}),
    ...(projected === undefined ? {} : { weightHr: draw(4, projected, hidden) }),
  }) as CellParams;
};

/** @internal `x Wᵀ + b` with the parameters of one name ending. */
export const toGates = (
  operation: string,
  params: object,
  [weight, bias]: readonly [weight: string, bias: string | undefined],
  x: Tensor,
  gates: number,
): Tensor => {
  const named = params as Readonly<Record<string, Tensor>>;
  const y = matmul(x, transpose(parameter(operation, named, weight, [gates, x.shape[x.shape.length - 1]!]))) as Tensor;
  return bias === undefined ? y : (add(y, parameter(operation, named, bias, [gates])) as Tensor);
};

/** @internal A state of the shape that it must have. */
export const stateOf = (operation: string, name: string, state: unknown, shape: readonly number[]): Tensor => {
  if (isTensor(state) && sameShape(state.shape, shape)) return inputOf(operation, state, shape.slice(-1));
  throw new ShapeError({
    operation,
    given: `${isTensor(state) ? showAval(state) : kindOf(state)} as the state ${name}`,
    rule: `the state ${name} is ${showShape(shape)}`,
    hint: 'Start with zeros of that shape.',
  });
};

const cellOf = (operation: string, inputs: number, hidden: number, options: CellOptions, kind: CellKind) => {
  checkInteger(operation, 'the number of inputs', inputs, 1, Number.MAX_SAFE_INTEGER);
  checkInteger(operation, 'the number of hidden elements', hidden, 1, Number.MAX_SAFE_INTEGER);
  const { bias = true } = options;
  checkFlag(operation, 'bias', bias);
  const width = kind.gates * hidden;
  return {
    init: (key: Key) => firstCell(key, { gates: kind.gates, inputs, hidden }, bias),
    next: (params: object, x: Tensor, h: unknown, c: unknown): LstmState => {
      const input = inputOf(operation, x, [inputs]);
      const shape = [...input.shape.slice(0, -1), hidden];
      const output = stateOf(operation, 'h', h, shape);
      return kind.step(
        toGates(operation, params, ['weightIh', bias ? 'biasIh' : undefined], input, width),
        toGates(operation, params, ['weightHh', bias ? 'biasHh' : undefined], output, width),
        { h: output, c: kind.keeps ? stateOf(operation, 'c', c, shape) : output },
      );
    },
  };
};

/**
 * One step of a plain recurrent network: `h' = tanh(x Wᵢᵀ + bᵢ + h Wₕᵀ + bₕ)` (Elman 1990, Cognitive Science 14:179).
 *
 * @param inputs length of the last axis of x
 * @param hidden length of the state
 * @param options `nonlinearity` (`'tanh'` or `'relu'`), `bias: false` for none
 * @returns a layer; `apply(params, x, h)` takes […, inputs] and […, hidden], and gives the next h
 * @throws IndexError when a size is no positive integer, ArgumentError for a wrong or unknown option; applied, ShapeError when x or
 *   the state has another shape or the parameters do not fit, DTypeError for uint8
 * @numpy flax.linen.SimpleCell
 * @pytorch torch.nn.RNNCell
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { rnnCell } from 'tenfold/nn';
 * const cell = rnnCell(1, 1, { nonlinearity: 'relu', bias: false });
 * const params = { weightIh: tensor([[10]]), weightHh: tensor([[2]]) };
 * cell.apply(params, tensor([[1]]), tensor([[3]])).toArray(); // => [[16]]
 * ```
 */
export const rnnCell = <const Bias extends boolean = true>(
  inputs: number,
  hidden: number,
  options: RnnCellOptions<Bias> = {},
): Layer<CellParams<Bias>, readonly [x: Tensor, h: Tensor]> => {
  checkOptions('rnnCell', ['nonlinearity', 'bias'], options);
  const cell = cellOf('rnnCell', inputs, hidden, options, rnnKind('rnnCell', options.nonlinearity));
  return Object.freeze({
    init: cell.init as (key: Key) => CellParams<Bias>,
    apply: (params: CellParams<Bias>, x: Tensor, h: Tensor): Tensor => cell.next(params, x, h, h).h,
  });
};

/**
 * One step of a network with gated recurrent units (Cho et al. 2014, arXiv:1406.1078), the reset gate being applied behind
 * the product as in cuDNN and PyTorch: `n = tanh(x Wₙᵀ + bₙ + r · (h Uₙᵀ + cₙ))`, `h' = (1 − z) · n + z · h`. The gates stand
 * in the order reset r, update z, new n.
 *
 * @param inputs length of the last axis of x
 * @param hidden length of the state
 * @param options `bias: false` for none
 * @returns a layer; `apply(params, x, h)` takes […, inputs] and […, hidden], and gives the next h
 * @throws as {@link rnnCell}
 * @numpy flax.linen.GRUCell
 * @pytorch torch.nn.GRUCell
 * @example
 * ```js
 * import { zeros } from 'tenfold';
 * import { gruCell } from 'tenfold/nn';
 * import { key } from 'tenfold/random';
 * const cell = gruCell(3, 4);
 * cell.apply(cell.init(key(0)), zeros([2, 3]), zeros([2, 4])).shape; // => [2, 4]
 * ```
 */
export const gruCell = <const Bias extends boolean = true>(
  inputs: number,
  hidden: number,
  options: CellOptions<Bias> = {},
): Layer<CellParams<Bias>, readonly [x: Tensor, h: Tensor]> => {
  checkOptions('gruCell', ['bias'], options);
  const cell = cellOf('gruCell', inputs, hidden, options, gruKind);
  return Object.freeze({
    init: cell.init as (key: Key) => CellParams<Bias>,
    apply: (params: CellParams<Bias>, x: Tensor, h: Tensor): Tensor => cell.next(params, x, h, h).h,
  });
};

/**
 * One step of a network with long short-term memory (Hochreiter, Schmidhuber 1997, Neural Computation 9:1735; the forget gate:
 * Gers, Schmidhuber, Cummins 2000): `c' = σ(f) · c + σ(i) · tanh(g)`, `h' = σ(o) · tanh(c')`. The gates stand in the order
 * input i, forget f, cell g, output o.
 *
 * @param inputs length of the last axis of x
 * @param hidden length of the state
 * @param options `bias: false` for none
 * @returns a layer; `apply(params, x, { h, c })` takes x […, inputs], h and c […, hidden], and gives the next `{ h, c }`
 * @throws as {@link rnnCell}
 * @numpy flax.linen.LSTMCell
 * @pytorch torch.nn.LSTMCell
 * @example
 * ```js
 * import { zeros } from 'tenfold';
 * import { lstmCell } from 'tenfold/nn';
 * import { key } from 'tenfold/random';
 * const cell = lstmCell(3, 4);
 * const { h, c } = cell.apply(cell.init(key(0)), zeros([2, 3]), { h: zeros([2, 4]), c: zeros([2, 4]) });
 * c.shape; // => [2, 4]
 * ```
 */
export const lstmCell = <const Bias extends boolean = true>(
  inputs: number,
  hidden: number,
  options: CellOptions<Bias> = {},
): Layer<CellParams<Bias>, readonly [x: Tensor, state: LstmState], LstmState> => {
  checkOptions('lstmCell', ['bias'], options);
  const cell = cellOf('lstmCell', inputs, hidden, options, lstmKind);
  return Object.freeze({
    init: cell.init as (key: Key) => CellParams<Bias>,
    apply: (params: CellParams<Bias>, x: Tensor, state: LstmState): LstmState =>
      Object.freeze(cell.next(params, x, state?.h, state?.c)),
  });
};
