/** Recurrent networks over sequences: folds of their cells, several on top of each other, in one direction or both. */
import { type Key, split } from '../random/key.js';
import { promote } from '../tensor/dtype.js';
import { ShapeError } from '../tensor/errors.js';
import { unaryOperand } from '../tensor/ops/common/operands.js';
import { checkFlag, checkOptions } from '../tensor/ops/common/options.js';
import { zeros } from '../tensor/ops/creation/creation.js';
import { cast } from '../tensor/ops/elementwise/cast.js';
import { at } from '../tensor/ops/indexing/at.js';
import { concat, stack } from '../tensor/ops/movement/joining.js';
import { expandDims, squeeze, swapAxes } from '../tensor/ops/movement/movement.js';
import { checkInteger, range, showAval } from '../tensor/shape.js';
import { isTensor, type Tensor, wrap } from '../tensor/tensor.js';
import { scan } from '../tensor/transform/loops.js';
import { checkRate, dropped, keyIn } from './dropout.js';
import type { Context, Layer } from './layer.js';
import {
  type CellKind,
  type CellParams,
  firstCell,
  gruKind,
  type LstmState,
  lstmKind,
  type Nonlinearity,
  rnnKind,
  stateOf,
  toGates,
} from './recurrent-cells.js';

/**
 * Parameters of {@link rnn}, {@link gru} and {@link lstm}: those of the cell of each layer k with the ending Lk, as weightIhL0, and
 * of the one that runs backwards with LkReverse. With `projSize` there is also weightHr [projSize, hidden], and weightHh is
 * [4 · hidden, projSize].
 */
export interface RecurrentParams {
  readonly [name: `${keyof CellParams | 'weightHr'}L${number}${'' | 'Reverse'}`]: Tensor;
}

/** Options of {@link gru}. */
export interface RecurrentOptions {
  /** How many cells run on top of each other, each over what the one below it gives. Default 1. */
  readonly layers?: number;
  /** Whether in each layer a second cell runs from the end to the start, whose outputs follow those of the first. Default false. */
  readonly bidirectional?: boolean;
  /** Whether x is [N, T, inputs], the default, or [T, N, inputs]. */
  readonly batchFirst?: boolean;
  /** Whether vectors are added to the gates. Default true. */
  readonly bias?: boolean;
  /** The share of what a layer gives that is dropped on the way to the next one, where there is a key. Default 0. */
  readonly dropout?: number;
}

/** Options of {@link rnn}. */
export interface RnnOptions extends RecurrentOptions {
  /** Default `'tanh'`. */
  readonly nonlinearity?: Nonlinearity;
}

/** Options of {@link lstm}. */
export interface LstmOptions extends RecurrentOptions {
  /**
   * Length of what the cells give out, a linear function of their hidden elements (Sak, Senior, Beaufays 2014, arXiv:1402.1128):
   * less than `hidden`, which it is if left out.
   */
  readonly projSize?: number;
}

/** What {@link rnn} and {@link gru} may be given beside the sequence: the first state, and a key for dropout. */
export interface RecurrentContext extends Context {
  /** [layers · directions, N, hidden], with `projSize` that in the place of `hidden`; zeros if left out. */
  readonly h?: Tensor;
}

/** What {@link lstm} may be given beside the sequence. */
export interface LstmContext extends RecurrentContext {
  /** [layers · directions, N, hidden]; zeros if left out. */
  readonly c?: Tensor;
}

/** What {@link rnn} and {@link gru} give: the outputs of the last layer at all times, and the last state of every cell. */
export interface Recurrence {
  /** [N, T, directions · hidden], with `projSize` that in the place of `hidden`. */
  readonly y: Tensor;
  /** [layers · directions, N, hidden], likewise. */
  readonly h: Tensor;
}

/** What {@link lstm} gives. */
export interface LstmRecurrence extends Recurrence {
  /** [layers · directions, N, hidden]. */
  readonly c: Tensor;
}

/** A state without what the cell does not keep. */
interface Carry {
  readonly h: Tensor;
  readonly c?: Tensor;
}

/** The sequence as floats, time first, with an axis of examples. */
const sequenceOf = (operation: string, x: unknown, inputs: number, batchFirst: boolean) => {
  const floats = wrap(unaryOperand(operation, x, { toFloat: true })) as Tensor;
  const rank = floats.shape.length;
  if ((rank !== 2 && rank !== 3) || floats.shape[rank - 1] !== inputs) {
    throw new ShapeError({
      operation,
      given: showAval(x as Tensor),
      rule: `x is ${batchFirst ? `[N, T, ${inputs}]` : `[T, N, ${inputs}]`}, or [T, ${inputs}] for one sequence`,
      hint: 'Put missing axes in with expandDims; the option batchFirst says which axis is time.',
    });
  }
  const isOne = rank === 2;
  const timeFirst = isOne ? expandDims(floats, 1) : batchFirst ? swapAxes(floats, 0, 1) : floats;
  return {
    xs: timeFirst as Tensor,
    finish: (y: Tensor): Tensor => (isOne ? squeeze(y, 1) : batchFirst ? swapAxes(y, 0, 1) : y) as Tensor,
    withExamples: (state: Tensor): Tensor => (isOne ? expandDims(state, 1) : state) as Tensor,
    withoutExamples: (state: Tensor): Tensor => (isOne ? squeeze(state, 1) : state) as Tensor,
    stateShape: (cells: number, hidden: number): readonly number[] =>
      isOne ? [cells, hidden] : [cells, timeFirst.shape[1]!, hidden],
  };
};

const network = (
  operation: string,
  kind: CellKind,
  inputs: number,
  hidden: number,
  options: LstmOptions,
): Layer<RecurrentParams, readonly [x: Tensor, context?: LstmContext], LstmRecurrence> => {
  checkInteger(operation, 'the number of inputs', inputs, 1, Number.MAX_SAFE_INTEGER);
  checkInteger(operation, 'the number of hidden elements', hidden, 1, Number.MAX_SAFE_INTEGER);
  const { layers = 1, bidirectional = false, batchFirst = true, bias = true, dropout = 0, projSize } = options;
  checkInteger(operation, 'the number of layers', layers, 1, 2 ** 16);
  checkFlag(operation, 'bidirectional', bidirectional);
  checkFlag(operation, 'batchFirst', batchFirst);
  checkFlag(operation, 'bias', bias);
  checkRate(operation, dropout);
  if (projSize !== undefined) checkInteger(operation, 'projSize', projSize, 1, hidden - 1);
  const endings = bidirectional ? ['', 'Reverse'] : [''];
  const cells = layers * endings.length;
  const width = kind.gates * hidden;
  /** Length of what a cell gives out. */
  const given = projSize ?? hidden;
  const inputsOf = (layer: number): number => (layer === 0 ? inputs : endings.length * given);

  /** What one cell makes of a sequence: all outputs, and the last state. */
  const run = (params: RecurrentParams, end: string, xs: Tensor, first: LstmState, reverse: boolean) => {
    const names = (which: string) => [`weight${which}${end}`, bias ? `bias${which}${end}` : undefined] as const;
    // What does not depend on the state is one product for all times.
    const fromInputs = toGates(operation, params, names('Ih'), xs, width);
    const out = (y: Tensor): Tensor =>
      projSize === undefined ? y : toGates(operation, params, [`weightHr${end}`, undefined], y, projSize);
    const step = ({ h, c = h }: Carry, fromInput: Tensor): readonly [Carry, Tensor] => {
      const next = kind.step(fromInput, toGates(operation, params, names('Hh'), h, width), { h, c });
      const y = out(next.h);
      return [kind.keeps ? { h: y, c: next.c } : { h: y }, y];
    };
    const [last, ys] = scan(step, { reverse })(kind.keeps ? first : { h: first.h }, fromInputs);
    return { ys, last: { h: last.h, c: last.c ?? last.h } };
  };

  return Object.freeze({
    init: (key: Key): RecurrentParams => {
      const keys = split(key, cells) as readonly Key[];
      const entries = keys.flatMap((each, i) => {
        const layer = Math.floor(i / endings.length);
        const sizes = { gates: kind.gates, inputs: inputsOf(layer), hidden, projected: projSize };
        const params = firstCell(each, sizes, bias);
        return Object.entries(params).map(([name, value]) => [
          `${name}L${layer}${endings[i % endings.length]}`,
          value as Tensor,
        ]);
      });
      return Object.freeze(Object.fromEntries(entries)) as RecurrentParams;
    },
    apply: (params: RecurrentParams, x: Tensor, context: LstmContext = {}): LstmRecurrence => {
      checkOptions(operation, kind.keeps ? ['h', 'c', 'key'] : ['h', 'key'], context);
      const key = keyIn(operation, context);
      const sequence = sequenceOf(operation, x, inputs, batchFirst);
      const shapes = [sequence.stateShape(cells, given), sequence.stateShape(cells, hidden)];
      const states = [context.h, context.c].map((state, i) =>
        state === undefined ? undefined : stateOf(operation, 'hc'[i]!, state, shapes[i]!),
      );
      const all = [sequence.xs, ...states, ...(Object.values(params ?? {}) as readonly unknown[])].filter(isTensor);
      const dtype = all.map(each => each.dtype).reduce((a, b) => promote(operation, a, b));
      const [h, c] = states.map((state, i) =>
        sequence.withExamples(state === undefined ? zeros(shapes[i]!, { dtype }) : cast(state, dtype)),
      ) as [Tensor, Tensor];
      const lasts: LstmState[] = [];
      const ys = range(layers).reduce((input, layer) => {
        const results = endings.map((ending, direction) => {
          const cell = layer * endings.length + direction;
          const first = { h: at(h, cell) as Tensor, c: at(c, cell) as Tensor };
          return run(params, `L${layer}${ending}`, input, first, direction === 1);
        });
        lasts.push(...results.map(({ last }) => last));
        const y =
          results.length === 1
            ? results[0]!.ys
            : (concat(
                results.map(r => r.ys),
                { axis: -1 },
              ) as Tensor);
        if (key === undefined || layer === layers - 1) return y;
        return dropped(y, dropout, split(key, layers)[layer] as Key);
      }, sequence.xs);
      const stacked = (name: 'h' | 'c'): Tensor =>
        sequence.withoutExamples(stack(lasts.map(last => last[name])) as Tensor);
      const result = { y: sequence.finish(ys), h: stacked('h') };
      return Object.freeze(kind.keeps ? { ...result, c: stacked('c') } : result) as LstmRecurrence;
    },
  });
};

const names = ['layers', 'bidirectional', 'batchFirst', 'bias', 'dropout'];

/**
 * A plain recurrent network over sequences: {@link rnnCell} from each time to the next.
 *
 * @param inputs length of the last axis of x
 * @param hidden length of the state of each cell
 * @param options `layers` (1), `bidirectional`, `batchFirst` (true, unlike PyTorch), `bias: false`, `dropout` between layers,
 *   `nonlinearity` (`'tanh'` or `'relu'`)
 * @returns a layer; `apply(params, x, { h, key })` takes x [N, T, inputs] or [T, inputs] and gives `{ y, h }`: y
 *   [N, T, directions · hidden], h the last states [layers · directions, N, hidden]; the first ones are zeros if left out
 * @throws IndexError when a size is no positive integer, ArgumentError for a wrong or unknown option; applied, ShapeError when x or a
 *   state has another shape or the parameters do not fit, DTypeError for uint8
 * @numpy flax.linen.RNN
 * @pytorch torch.nn.RNN
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { rnn } from 'tenfold/nn';
 * const sums = rnn(1, 1, { nonlinearity: 'relu', bias: false });
 * const params = { weightIhL0: tensor([[1]]), weightHhL0: tensor([[1]]) };
 * sums.apply(params, tensor([[1], [2], [3]])).y.toArray(); // => [[1], [3], [6]]
 * ```
 */
export const rnn = (
  inputs: number,
  hidden: number,
  options: RnnOptions = {},
): Layer<RecurrentParams, readonly [x: Tensor, context?: RecurrentContext], Recurrence> => {
  checkOptions('rnn', [...names, 'nonlinearity'], options);
  return network('rnn', rnnKind('rnn', options.nonlinearity), inputs, hidden, options);
};

/**
 * A network with gated recurrent units over sequences: {@link gruCell} from each time to the next.
 *
 * @param inputs length of the last axis of x
 * @param hidden length of the state of each cell
 * @param options `layers` (1), `bidirectional`, `batchFirst` (true, unlike PyTorch), `bias: false`, `dropout` between layers
 * @returns a layer; `apply(params, x, { h, key })` takes x [N, T, inputs] or [T, inputs] and gives `{ y, h }`: y
 *   [N, T, directions · hidden], h the last states [layers · directions, N, hidden]; the first ones are zeros if left out
 * @throws as {@link rnn}
 * @numpy flax.linen.RNN
 * @pytorch torch.nn.GRU
 * @example
 * ```js
 * import { zeros } from 'tenfold';
 * import { gru } from 'tenfold/nn';
 * import { key } from 'tenfold/random';
 * const layer = gru(3, 4, { bidirectional: true });
 * const { y, h } = layer.apply(layer.init(key(0)), zeros([2, 5, 3]));
 * [y.shape, h.shape]; // => [[2, 5, 8], [2, 2, 4]]
 * ```
 */
export const gru = (
  inputs: number,
  hidden: number,
  options: RecurrentOptions = {},
): Layer<RecurrentParams, readonly [x: Tensor, context?: RecurrentContext], Recurrence> => {
  checkOptions('gru', names, options);
  return network('gru', gruKind, inputs, hidden, options);
};

/**
 * A network with long short-term memory over sequences: {@link lstmCell} from each time to the next.
 *
 * @param inputs length of the last axis of x
 * @param hidden length of the state of each cell
 * @param options `layers` (1), `bidirectional`, `batchFirst` (true, unlike PyTorch), `bias: false`, `dropout` between layers,
 *   `projSize`: what the cells give out is `y = W (σ(o) · tanh(c))` of this length, less than `hidden` (Sak, Senior, Beaufays 2014,
 *   arXiv:1402.1128)
 * @returns a layer; `apply(params, x, { h, c, key })` takes x [N, T, inputs] or [T, inputs] and gives `{ y, h, c }`: y
 *   [N, T, directions · hidden], h and c the last states [layers · directions, N, hidden]; the first ones are zeros if left out;
 *   with `projSize` that is in the place of `hidden` in y and h
 * @throws as {@link rnn}, and IndexError when projSize is not from 1 to hidden − 1
 * @numpy flax.linen.RNN
 * @pytorch torch.nn.LSTM
 * @example
 * ```js
 * import { zeros } from 'tenfold';
 * import { lstm } from 'tenfold/nn';
 * import { key } from 'tenfold/random';
 * const layer = lstm(3, 4, { layers: 2 });
 * const { y, c } = layer.apply(layer.init(key(0)), zeros([2, 5, 3]));
 * [y.shape, c.shape]; // => [[2, 5, 4], [2, 2, 4]]
 * const narrow = lstm(3, 4, { projSize: 2 });
 * narrow.apply(narrow.init(key(0)), zeros([2, 5, 3])).y.shape; // => [2, 5, 2]
 * ```
 */
export const lstm = (
  inputs: number,
  hidden: number,
  options: LstmOptions = {},
): Layer<RecurrentParams, readonly [x: Tensor, context?: LstmContext], LstmRecurrence> => {
  checkOptions('lstm', [...names, 'projSize'], options);
  return network('lstm', lstmKind, inputs, hidden, options);
};
