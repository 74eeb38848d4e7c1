/** Bad calls of rearrange. */
import { rearrange, tensor, zeros } from 'tenfold';
import type { BadInputs } from './types.js';

const x = zeros([2, 6]);

export const rearrangements: BadInputs = {
  rearrange: [
    () => rearrange([1] as never, 'a -> a'),
    () => rearrange(x, 5 as never),
    () => rearrange(x, undefined as never),
    // @ts-expect-error rearrange: a pattern has one arrow
    () => rearrange(x, ''),
    // @ts-expect-error rearrange: a pattern has one arrow
    () => rearrange(x, 'a b'),
    // @ts-expect-error rearrange: the pattern has 1 axes on the left, the tensor 2
    () => rearrange(x, 'a -> a'),
    // @ts-expect-error rearrange: b stands on the left only
    () => rearrange(x, 'a b -> a'),
    // @ts-expect-error rearrange: c on the right is new and has no length
    () => rearrange(x, 'a b -> a b c'),
    // @ts-expect-error rearrange: a stands twice on one side
    () => rearrange(x, 'a a -> a'),
    // @ts-expect-error rearrange: the lengths of b and c in (b c) are unknown
    () => rearrange(x, 'a (b c) -> a b c'),
    // @ts-expect-error rearrange: the length 6 of (b c) is no multiple of 4
    () => rearrange(x, 'a (b c) -> a b c', { b: 4 }),
    () => rearrange(x, 'a (b c) -> a b c', { b: 0.5 }),
    () => rearrange(x, 'a (b c) -> a b c', { b: NaN }),
    () => rearrange(x, 'a (b c) -> a b c', { b: tensor(2) as never }),
    // @ts-expect-error rearrange: the pattern has no axis c
    () => rearrange(x, 'a b -> a b', { c: 2 }),
    () => rearrange(x, 'a b -> a b', 2 as never),
    () => rearrange(x, 'a b -> a b', [2] as never),
    // @ts-expect-error rearrange: the parenthesis ( has no partner
    () => rearrange(x, 'a (b -> a b'),
    () => rearrange(x, 'a % -> a %'),
  ],
};
