import { pipe } from 'fp-ts/lib/function.js';
import {
  arange,
  broadcastTo,
  expandDims,
  grad,
  jit,
  mul,
  permute,
  pixelShuffle,
  rearrange,
  reshape,
  sum,
  type Tensor,
  tensor,
  vmap,
  zeros,
} from 'tenfold';
import { expect, test } from 'vitest';
import { caught } from '../helpers.js';

const counted = (shape: readonly number[]): Tensor =>
  reshape(arange(shape.reduce((size, n) => size * n, 1)), shape) as Tensor;

const x = counted([2, 3, 4]);

const cases: Readonly<Record<string, readonly [Tensor, Tensor, Readonly<Record<string, number>>?]>> = {
  'a b c -> c a b': [x, permute(x, [2, 0, 1])],
  'a b c -> (a b) c': [x, reshape(x, [6, 4])],
  'a b c->(c a)b': [x, reshape(permute(x, [2, 0, 1]), [8, 3])],
  'a b (c d) -> d a (b c)': [x, reshape(permute(reshape(x, [2, 3, 2, 2]), [3, 0, 1, 2]), [2, 2, 6]), { c: 2 }],
  'a b (c d) -> a b c d': [x, reshape(x, [2, 3, 1, 4]), { d: 4 }],
  'a_1 ... -> ... a_1': [x, permute(x, [1, 2, 0])],
  '... c -> (...) c': [x, reshape(x, [6, 4])],
  '... -> ...': [x, x],
  'a ... b c -> c b ... a': [x, permute(x, [2, 1, 0])],
  'a b c -> a 1 b c 1': [x, reshape(x, [2, 1, 3, 4, 1])],
  'a b c -> a (b 1) () c': [x, reshape(x, [2, 3, 1, 4])],
  'a 1 b () -> a b': [counted([2, 1, 3, 1]), counted([2, 3])],
  'a b c -> a n b c': [x, broadcastTo(expandDims(x, 1), [2, 5, 3, 4]), { n: 5 }],
  'a b c -> a b (c n)': [x, reshape(broadcastTo(expandDims(x, 3), [2, 3, 4, 2]), [2, 3, 8]), { n: 2 }],
  'a b c -> 2 a b (3 c)': [x, reshape(broadcastTo(reshape(x, [1, 2, 3, 1, 4]), [2, 2, 3, 3, 4]), [2, 2, 3, 12])],
  'b (c r q) h w -> b c (h r) (w q)': [
    counted([2, 8, 2, 3]),
    pixelShuffle(counted([2, 8, 2, 3]), 2) as Tensor,
    { r: 2, q: 2 },
  ],
  '->': [tensor(7), tensor(7)],
  '-> n': [tensor(7), tensor([7, 7]), { n: 2 }],
  'a (b c) -> (a b) c': [zeros([0, 6]) as Tensor, zeros([0, 3]) as Tensor, { c: 3 }],
};

test.each(Object.entries(cases))('%s', (pattern, [from, to, lengths]) => {
  const y = rearrange(from, pattern, lengths);
  expect([y.shape, y.toArray()]).toEqual([to.shape, to.toArray()]);
  expect(pipe(from, rearrange(pattern, lengths)).toArray()).toEqual(to.toArray());
});

test('dtypes stay', () => {
  expect(rearrange(tensor([true, false]), 'a -> a 1').toArray()).toEqual([[true], [false]]);
  expect(rearrange(tensor(new Uint8Array([1, 2])), 'a -> 2 a').dtype).toBe('uint8');
});

test('vmap, jit and the derivative', () => {
  const f = (y: Tensor): Tensor => rearrange(y, 'b (c d) -> d (b c)', { d: 2 });
  const wanted = rearrange(x, 'a b (c d) -> a d (b c)', { d: 2 }).toArray();
  expect((vmap(f)(x) as Tensor).toArray()).toEqual(wanted);
  expect((vmap(jit(f) as typeof f)(x) as Tensor).toArray()).toEqual(wanted);
  const g = grad((y: Tensor) => sum(mul(rearrange(y, 'a -> n a', { n: 3 }), counted([3, 2]))))(tensor([0, 0]));
  expect((g as Tensor).toArray()).toEqual([6, 9]);
});

test.each([
  ['a b c', undefined, "got 'a b c'; a pattern has one arrow"],
  ['a -> b -> c', undefined, 'a pattern has one arrow'],
  ['a b c -> a b', undefined, "got 'a b c -> a b'; c stands on the left only"],
  ['a b c -> a b c d', undefined, 'd on the right is new and has no length. Give it one, { d: 2 }'],
  ['a b c -> a b c', { d: 2 }, "got 'a b c -> a b c' and a length for d; the pattern has no axis d"],
  ['a b b -> a b', undefined, 'b stands twice on one side'],
  ['a b c -> a b c c', undefined, 'c stands twice on one side'],
  ['a ... ... -> a ...', undefined, '... stands twice on one side'],
  ['a (b c -> a b c', undefined, 'the parenthesis ( has no partner'],
  ['a b) c -> a b c', undefined, 'the parenthesis ) has no partner'],
  ['a (b (c)) -> a b c', undefined, 'the parenthesis ( has no partner'],
  ['a b 4 -> a b', undefined, 'the number 4 stands on the left'],
  ['a (...) -> a ...', undefined, 'the ellipsis stands in parentheses on the left'],
  ['a b c -> a b c ...', undefined, 'the ellipsis stands on the right only'],
  ['a b, c -> a b c', undefined, "',' is no name of an axis"],
  ['_a b c -> _a b c', undefined, "'_a' is no name of an axis"],
  ['a b (c d) -> a b c d', undefined, 'got float32[2, 3, 4] and (c d) for axis 2; the lengths of c and d are unknown'],
  ['a b c -> c b a', 5, 'got the number 5 in the place of the lengths'],
  [5, undefined, 'got the number 5 as the pattern'],
])('refuses %j with %j', (pattern, lengths, message) => {
  const error = caught(() => rearrange(x, pattern as string, lengths as never));
  expect(error._tag).toBe('ArgumentError');
  expect(error.message).toContain(`rearrange: ${message.startsWith('got') ? message : ''}`);
  expect(error.message).toContain(message);
});

test.each([
  ['a b -> b a', undefined, "got float32[2, 3, 4] and 'a b -> b a'; the pattern has 2 axes on the left, the tensor 3"],
  ['a b c d ... -> ...  a b c d', undefined, 'the pattern has 4 axes on the left at least, the tensor 3'],
  ['a b (c d) -> a b c d', { c: 3 }, '(c d) for axis 2 with c = 3; the length 4 is no multiple of 3'],
  ['a b (c d) -> a b c d', { c: 3, d: 2 }, 'with c = 3, d = 2; the axis has the length 4, not 6'],
  ['a b (c d) -> a b c d', { c: 0 }, 'the length 4 is no multiple of 0'],
  ['a b 1 -> a b', undefined, 'the axis has the length 4, not 1'],
  ['a b c -> a b c', { a: 3 }, '(a) for axis 0 with a = 3; the axis has the length 2, not 3'],
] as const)('does not fit: %j with %j', (pattern, lengths, message) => {
  const error = caught(() => rearrange(x, pattern, lengths as never));
  expect(error._tag).toBe('ShapeError');
  expect(error.message).toContain(message);
});

test('refuses lengths that are none', () => {
  expect(caught(() => rearrange(x, 'a b (c d) -> a b c d', { c: 1.5 })).message).toContain('the length of c 1.5');
});
