/** Networks over sequences learn what cannot be done without memory, or without attention. */
import {
  add,
  argmax,
  cast,
  concat,
  crossEntropy,
  cumsum,
  equal,
  expandDims,
  full,
  grad,
  jit,
  mean,
  permute,
  remainder,
  slice,
  type Tensor,
} from 'tenfold';
import { embedding, linear, lstm, transformerEncoderLayer } from 'tenfold/nn';
import { adam, applyUpdates } from 'tenfold/optim';
import { bernoulli, foldIn, type Key, key, normal, randint, split } from 'tenfold/random';
import { expect, it } from 'vitest';

type Logits = (params: never, x: Tensor) => Tensor;

/** The share of right answers to fresh examples after 300 jitted steps of Adam. */
const accuracyAfter = (
  first: object,
  logits: Logits,
  examples: (k: Key) => readonly [x: Tensor, target: Tensor],
  rate: number,
): number => {
  const loss = (params: object, k: Key): Tensor => {
    const [x, target] = examples(k);
    return crossEntropy(permute(logits(params as never, x), [0, 2, 1]), target) as Tensor;
  };
  const optimizer = adam(rate);
  const step = jit((params: object, state: never, k: Key) => {
    const gradient = grad(loss)(params, k);
    const [updates, next] = optimizer.update(gradient, state, params);
    return { params: applyUpdates(params, updates), state: next };
  });
  let [params, state] = [first, optimizer.init(first) as unknown];
  for (let i = 0; i < 300; i++) ({ params, state } = step(params, state as never, foldIn(key(1), i)));
  const right = jit((p: object, k: Key) => {
    const [x, target] = examples(k);
    return mean(cast(equal(argmax(logits(p as never, x), { axis: -1 }) as Tensor, target), 'float32'));
  });
  return right(params, key(2)).item() as number;
};

it('a transformer of two layers copies a sequence', () => {
  const [words, length, size] = [8, 8, 32];
  const [first, second] = [0, 1].map(() =>
    transformerEncoderLayer(size, 4, { feedForward: 64, normFirst: true, activation: 'gelu' }),
  ) as [ReturnType<typeof transformerEncoderLayer>, ReturnType<typeof transformerEncoderLayer>];
  const [table, head] = [embedding(words + 1, size), linear(size, words)];
  const keys = split(key(0), 5) as readonly Key[];
  const params = {
    table: table.init(keys[0]!),
    places: normal(keys[1]!, [2 * length, size]) as Tensor,
    first: first.init(keys[2]!),
    second: second.init(keys[3]!),
    head: head.init(keys[4]!),
  };
  /** The sequence, a sign that it is over, and what is to be said of it again, of which each word follows the ones before. */
  const examples = (k: Key): readonly [Tensor, Tensor] => {
    const said = randint(k, [64, length], 0, words) as Tensor;
    const over = full([64, 1], words, { dtype: 'int32' }) as Tensor;
    return [concat([said, over, slice(said, [0, 0], [64, length - 1])], { axis: 1 }) as Tensor, said];
  };
  const logits = (p: typeof params, x: Tensor): Tensor => {
    const start = add(table.apply(p.table, x), p.places) as Tensor;
    const end = second.apply(p.second, first.apply(p.first, start, { causal: true }), { causal: true });
    return head.apply(p.head, slice(end, [0, length, 0], [64, 2 * length, size]) as Tensor) as Tensor;
  };
  expect(accuracyAfter(params, logits as Logits, examples, 3e-3)).toBeGreaterThan(0.99);
}, 60_000);

it('an LSTM tells after each bit whether there were an odd number of ones', () => {
  const [memory, head] = [lstm(1, 24), linear(24, 2)];
  const [one, two] = split(key(0), 2) as readonly [Key, Key];
  const params = { memory: memory.init(one), head: head.init(two) };
  const examples = (k: Key): readonly [Tensor, Tensor] => {
    const bits = cast(bernoulli(k, 0.5, [64, 16]), 'int32') as Tensor;
    return [expandDims(cast(bits, 'float32'), 2) as Tensor, remainder(cumsum(bits, { axis: 1 }), 2) as Tensor];
  };
  const logits = (p: typeof params, x: Tensor): Tensor => head.apply(p.head, memory.apply(p.memory, x).y) as Tensor;
  expect(accuracyAfter(params, logits as Logits, examples, 2e-2)).toBeGreaterThan(0.99);
}, 60_000);
