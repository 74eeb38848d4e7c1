/**
 * The draws as fp-ts `State<Key, A>`: a computation that takes a key, draws from one half of it and leaves the
 * other, so that code which draws many times need not name its keys.
 */
import type { State } from 'fp-ts/lib/State.js';
import * as draw from './draw.js';
import { type Key, split } from './key.js';

/** A random value: a function from a key to the value and the key for what comes after. */
export type Random<A> = State<Key, A>;

/**
 * A draw as a state computation.
 *
 * @param f draws from a key
 * @example
 * ```js
 * import { key, normal, split, state } from 'tenfold/random';
 * const [x, next] = state.draw(k => normal(k, [2]))(key(0));
 * next.toArray(); // => split(key(0))[1].toArray()
 * ```
 */
const lift =
  <A>(f: (key: Key) => A): Random<A> =>
  key => {
    const [use, next] = split(key, 2) as readonly [Key, Key];
    return [f(use), next];
  };

/** A function of a key and arguments, as one of the arguments that gives a state computation. */
const stateful =
  <A extends readonly unknown[], R>(f: (key: Key, ...args: A) => R) =>
  (...args: A): Random<R> =>
    lift(key => f(key, ...args));

/**
 * The draws of this module as `State<Key, A>`, for `pipe` and `Do` of fp-ts.
 *
 * @example
 * ```js
 * import * as S from 'fp-ts/lib/State.js';
 * import { pipe } from 'fp-ts/lib/function.js';
 * import { key, state } from 'tenfold/random';
 * const two = pipe(state.normal([2]), S.chain(x => pipe(state.uniform([3]), S.map(y => [x.shape, y.shape]))));
 * S.evaluate(key(0))(two); // => [[2], [3]]
 * ```
 */
export const state = Object.freeze({
  draw: lift,
  bits: stateful(draw.bits),
  uniform: stateful(draw.uniform),
  normal: stateful(draw.normal),
  randint: stateful(draw.randint),
  bernoulli: stateful(draw.bernoulli),
  permutation: stateful(<const N extends number>(key: Key, count: N) => draw.permutation(key, count)),
  categorical: stateful(draw.categorical),
});
