/** LSTM whose outputs are projected, against the formulas in plain numbers. */
import { add, jit, mul, square, sum, type Tensor, tensor, zeros } from 'tenfold';
import { gru, loadStateDict, lstm, type RecurrentParams, stateDict } from 'tenfold/nn';
import { key, normal } from 'tenfold/random';
import { describe, expect, it } from 'vitest';
import { caught, close } from '../helpers.js';
import { asDifferences, float64 } from './differences.js';

const [n, times, inputs, hidden, projSize] = [2, 3, 3, 4, 2];
const draw = (shape: readonly number[], seed: number): Tensor =>
  normal(key(seed), shape, { dtype: 'float64' }) as Tensor;
const x = draw([n, times, inputs], 1);

type Matrix = number[][];
const times1 = (w: Matrix, v: readonly number[]): number[] => w.map(row => row.reduce((s, a, i) => s + a * v[i]!, 0));
const sigmoid = (v: number): number => 1 / (1 + Math.exp(-v));

interface State {
  readonly h: readonly number[];
  readonly c: readonly number[];
}

/** One step of one cell as PyTorch's documentation has it, by its names of the parameters. */
const plainly = (state: Readonly<Record<string, Tensor>>, ending: string, v: readonly number[], last: State): State => {
  const matrix = (name: string): Matrix => state[`${name}_${ending}`]!.toArray() as Matrix;
  const vector = (name: string): number[] => state[`${name}_${ending}`]!.toArray() as unknown as number[];
  const [a, b] = [times1(matrix('weight_ih'), v), times1(matrix('weight_hh'), last.h)];
  const [p, q] = [vector('bias_ih'), vector('bias_hh')];
  const gates = a.map((value, i) => value + b[i]! + p[i]! + q[i]!);
  const gate = (k: number): number[] => gates.slice(k * hidden, (k + 1) * hidden);
  const [i, f, g, o] = [gate(0), gate(1), gate(2), gate(3)];
  const c = last.c.map((old, k) => sigmoid(f[k]!) * old + sigmoid(i[k]!) * Math.tanh(g[k]!));
  return {
    h: times1(
      matrix('weight_hr'),
      c.map((value, k) => sigmoid(o[k]!) * Math.tanh(value)),
    ),
    c,
  };
};

/** One cell over a sequence. */
const over = (state: Readonly<Record<string, Tensor>>, ending: string, sequence: Matrix, first: State) => {
  const states: State[] = [];
  const order = ending.endsWith('reverse') ? [...sequence].reverse() : sequence;
  for (const v of order) states.push(plainly(state, ending, v, states.at(-1) ?? first));
  const ys = states.map(({ h }) => [...h]);
  return { ys: ending.endsWith('reverse') ? ys.reverse() : ys, last: states.at(-1)! };
};

describe('lstm with projSize', () => {
  const layer = lstm(inputs, hidden, { layers: 2, bidirectional: true, projSize });
  const params = float64(layer.init(key(0)));
  const state = stateDict(layer, params);
  const [h, c] = [draw([4, n, projSize], 2), draw([4, n, hidden], 3)];

  it('has PyTorch’s parameters, under its names', () => {
    const shapes = Object.fromEntries(Object.entries(state).map(([name, value]) => [name, value.shape]));
    const cell = (k: number): [string, readonly number[]][] => [
      ['weight_ih', [16, k === 0 ? inputs : 2 * projSize]],
      ['weight_hh', [16, projSize]],
      ['bias_ih', [16]],
      ['bias_hh', [16]],
      ['weight_hr', [projSize, hidden]],
    ];
    const wanted = [0, 1].flatMap(k =>
      ['', '_reverse'].flatMap(end => cell(k).map(([name, shape]) => [`${name}_l${k}${end}`, shape])),
    );
    expect(shapes).toEqual(Object.fromEntries(wanted));
    expect(loadStateDict(layer, state)).toEqual({ _tag: 'Right', right: params });
    const { weight_hr_l0, ...rest } = state;
    expect(weight_hr_l0).toBeDefined();
    expect(loadStateDict(layer, rest)).toMatchObject({ left: { missing: ['weight_hr_l0'] } });
  });

  it('computes what PyTorch says, in both directions and layers', () => {
    const result = layer.apply(params, x, { h, c });
    const [h0, c0] = [h.toArray() as number[][][], c.toArray() as number[][][]];
    for (const [example, sequence] of (x.toArray() as number[][][]).entries()) {
      const lasts: State[] = [];
      const through = (input: Matrix, k: number): Matrix => {
        const [there, back] = ['', '_reverse'].map((end, d) => {
          const first = { h: h0[2 * k + d]![example]!, c: c0[2 * k + d]![example]! };
          const { ys, last } = over(state, `l${k}${end}`, input, first);
          lasts.push(last);
          return ys;
        });
        return there!.map((y, t) => [...y, ...back![t]!]);
      };
      const y = through(through(sequence, 0), 1);
      close((result.y.toArray() as number[][][])[example]!, y, 1e-12);
      close(
        (result.h.toArray() as number[][][]).map(each => each[example]!),
        lasts.map(last => last.h),
        1e-12,
      );
      close(
        (result.c.toArray() as number[][][]).map(each => each[example]!),
        lasts.map(last => last.c),
        1e-12,
      );
    }
    expect([result.y.shape, result.h.shape, result.c.shape]).toEqual([
      [n, times, 2 * projSize],
      [4, n, projSize],
      [4, n, hidden],
    ]);
    close(jit((p: RecurrentParams) => layer.apply(p, x, { h, c }).y)(params), result.y.toArray() as never, 1e-12);
  });

  it('has derivatives as differences say, of every parameter and state', () => {
    const weights = draw([n, times, 2 * projSize], 4);
    asDifferences(
      ({ p, v, first }) => {
        const { y, c: kept } = layer.apply(p, v, first);
        return add(sum(square(mul(y, weights))), sum(kept)) as Tensor;
      },
      { p: params, v: x, first: { h, c } },
    );
  });

  it('starts within ±1/√hidden, and as before without it', () => {
    const wide = lstm(3, 100, { projSize: 50 }).init(key(1)).weightHrL0!;
    expect(wide.shape).toEqual([50, 100]);
    const values = Array.from(wide.dataSync(), Number);
    expect(Math.max(...values)).toBeLessThanOrEqual(0.1);
    expect(Math.max(...values)).toBeGreaterThan(0.099);
    expect(lstm(3, 4).init(key(1))).not.toHaveProperty('weightHrL0');
    // @ts-expect-error a GRU has no such projection
    expect(() => gru(3, 4, { projSize: 2 })).toThrow(/gru/);
  });

  it('one sequence has states without examples; wrong states are refused', () => {
    const one = lstm(inputs, hidden, { projSize });
    const own = one.init(key(0));
    const {
      y,
      h: last,
      c: kept,
    } = one.apply(own, zeros([times, inputs]), { h: zeros([1, projSize]), c: zeros([1, hidden]) });
    expect([y.shape, last.shape, kept.shape]).toEqual([
      [times, projSize],
      [1, projSize],
      [1, hidden],
    ]);
    expect(caught(() => one.apply(own, zeros([times, inputs]), { h: zeros([1, hidden]) })).message).toMatch(
      /lstm: got float32\[1, 4\] as the state h; the state h is \[1, 2\]/,
    );
    expect(
      caught(() => one.apply({ ...own, weightHrL0: tensor([1]) as Tensor }, zeros([times, inputs]))).message,
    ).toMatch(/lstm: got float32\[1\] as the weightHrL0/);
  });
});
