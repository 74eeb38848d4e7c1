/** Recurrent layers: folds of their cells, in both directions, in jit and vmap. */
import { concat, explain, flip, grad, jit, square, stack, sum, type Tensor, unstack, vmap, zeros } from 'tenfold';
import { gru, gruCell, lstm, lstmCell, type RecurrentParams, rnn, rnnCell } from 'tenfold/nn';
import { key, normal } from 'tenfold/random';
import { leaves } from 'tenfold/tree';
import { describe, expect, it } from 'vitest';
import { close } from '../helpers.js';

const draw = (shape: readonly number[], seed = 0): Tensor => normal(key(seed), shape) as Tensor;

/** The parameters of one cell of a network. */
const cellOf = (params: RecurrentParams, ending: string): never =>
  Object.fromEntries(
    Object.entries(params)
      .filter(([name]) => name.endsWith(ending) && (ending.endsWith('Reverse') || !name.endsWith('Reverse')))
      .map(([name, value]) => [name.slice(0, -ending.length), value]),
  ) as never;

/** Applies the cell step by step, time being the second axis. */
const unrolled = (step: (x: Tensor, h: Tensor) => Tensor, x: Tensor, h: Tensor): Tensor => {
  const ys: Tensor[] = [];
  for (const each of unstack(x, { axis: 1 }) as readonly Tensor[]) ys.push(step(each, ys.at(-1) ?? h));
  return stack(ys, { axis: 1 }) as Tensor;
};

const [n, times, inputs, hidden] = [2, 4, 3, 5];
const x = draw([n, times, inputs]);
const h = draw([1, n, hidden], 1);
const start = draw([1, n, hidden], 1).toArray() as number[][][];

describe('networks are their cells from each time to the next', () => {
  it.each([
    ['rnn', rnn(inputs, hidden, { nonlinearity: 'relu' }), rnnCell(inputs, hidden, { nonlinearity: 'relu' })],
    ['gru', gru(inputs, hidden), gruCell(inputs, hidden)],
  ] as const)('%s', (_, layer, cell) => {
    const params = layer.init(key(2));
    const result = layer.apply(params, x, { h });
    const first = unstack(h)[0] as Tensor;
    const wanted = unrolled((v, s) => cell.apply(cellOf(params, 'L0'), v, s), x, first);
    close(result.y, wanted.toArray() as never);
    close(result.h, [(unstack(wanted, { axis: 1 }) as readonly Tensor[]).at(-1)!.toArray()] as never);
    expect(start).toEqual(h.toArray());
  });

  it('lstm', () => {
    const [layer, cell] = [lstm(inputs, hidden), lstmCell(inputs, hidden)];
    const params = layer.init(key(2));
    let state = { h: unstack(h)[0] as Tensor, c: zeros([n, hidden]) as Tensor };
    for (const each of unstack(x, { axis: 1 }) as readonly Tensor[])
      state = cell.apply(cellOf(params, 'L0'), each, state);
    const result = layer.apply(params, x, { h });
    close(result.h, [state.h.toArray()] as never);
    close(result.c, [state.c.toArray()] as never);
  });

  it('in both directions and on top of each other', () => {
    const layer = gru(inputs, hidden, { layers: 2, bidirectional: true });
    const params = layer.init(key(3));
    const zero = zeros([n, hidden]) as Tensor;
    const below = x;
    const over = (input: Tensor, layerNumber: number): Tensor => {
      const cell = gruCell(input.shape[2]!, hidden);
      const run = (v: Tensor, ending: string): Tensor =>
        unrolled((each, s) => cell.apply(cellOf(params, ending), each, s), v, zero);
      const back = flip(run(flip(input, 1) as Tensor, `L${layerNumber}Reverse`), 1) as Tensor;
      return concat([run(input, `L${layerNumber}`), back], { axis: 2 }) as Tensor;
    };
    const { y, h: last } = layer.apply(params, x);
    close(y, over(over(below, 0), 1).toArray() as never);
    expect(last.shape).toEqual([4, n, hidden]);
  });
});

describe.each([
  ['rnn', rnn(inputs, hidden, { bias: false, layers: 2 })],
  ['gru', gru(inputs, hidden, { bidirectional: true })],
  ['lstm', lstm(inputs, hidden, { layers: 2, bidirectional: true })],
] as const)('%s', (_, layer) => {
  const params = layer.init(key(0));
  const { y } = layer.apply(params, x);

  it('is one loop a cell, however long the sequence', () => {
    const long = (length: number): number =>
      explain((v: Tensor) => layer.apply(params, v).y)(zeros([1, length, inputs])).toString().length;
    expect(Math.abs(long(500) - long(50))).toBeLessThan(0.1 * long(50));
  });

  it('gives the same in jit and, sequence by sequence, in vmap', () => {
    close(jit((p: RecurrentParams, v: Tensor) => layer.apply(p, v).y)(params, x), y.toArray() as never);
    close(vmap((v: Tensor) => layer.apply(params, v).y)(x) as Tensor, y.toArray() as never);
  });

  it('has parameters that all get gradients, and float64 throughout for a float64 input', () => {
    const gradient = grad((p: RecurrentParams) => sum(square(layer.apply(p, x).y)) as Tensor)(params);
    for (const g of leaves(gradient as never) as readonly Tensor[]) expect(sum(square(g)).item()).toBeGreaterThan(0);
    expect(layer.apply(params, zeros([n, times, inputs], { dtype: 'float64' })).y.dtype).toBe('float64');
  });
});

it('dropout between layers needs a key, and spares what the last layer gives', () => {
  const layer = lstm(inputs, hidden, { layers: 2, dropout: 0.5 });
  const params = layer.init(key(0));
  const plain = lstm(inputs, hidden, { layers: 2 });
  expect(layer.apply(params, x).y.toArray()).toEqual(plain.apply(params, x).y.toArray());
  const y = layer.apply(params, x, { key: key(1) }).y;
  expect(y.toArray()).not.toEqual(plain.apply(params, x).y.toArray());
  expect((y.dataSync() as Float32Array).every(v => v !== 0)).toBe(true);
});

it('time may come first', () => {
  const [layer, other] = [gru(inputs, hidden), gru(inputs, hidden, { batchFirst: false })];
  const params = layer.init(key(0));
  const swapped = other.apply(params, draw([times, n, inputs]));
  expect(swapped.y.shape).toEqual([times, n, hidden]);
  const one = layer.apply(params, draw([times, inputs]));
  expect([one.y.shape, one.h.shape]).toEqual([
    [times, hidden],
    [1, hidden],
  ]);
});
