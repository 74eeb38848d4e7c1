/** Bad calls of rearrange. */
import { rearrange, tensor, zeros } from 'tenfold';
import type { BadInputs } from './types.js';

const x = zeros([2, 6]);

export const rearrangements: BadInputs = {
  rearrange: [
    () => rearrange([1] as never, 'a -> a'),
    () => rearrange(x, 5 as never),
    () => rearrange(x, undefined as never),
    () => rearrange(x, ''),
    () => rearrange(x, 'a b'),
    () => rearrange(x, 'a -> a'),
    () => rearrange(x, 'a b -> a'),
    () => rearrange(x, 'a b -> a b c'),
    () => rearrange(x, 'a a -> a'),
    () => rearrange(x, 'a (b c) -> a b c'),
    () => rearrange(x, 'a (b c) -> a b c', { b: 4 }),
    () => rearrange(x, 'a (b c) -> a b c', { b: 0.5 }),
    () => rearrange(x, 'a (b c) -> a b c', { b: NaN }),
    () => rearrange(x, 'a (b c) -> a b c', { b: tensor(2) as never }),
    () => rearrange(x, 'a b -> a b', { c: 2 }),
    () => rearrange(x, 'a b -> a b', 2 as never),
    () => rearrange(x, 'a b -> a b', [2] as never),
    () => rearrange(x, 'a (b -> a b'),
    () => rearrange(x, 'a % -> a %'),
  ],
};
