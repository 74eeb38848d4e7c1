/** What the tests of files share. */
import { type Either, isLeft, isRight } from 'fp-ts/lib/Either.js';
import type { FormatError, Tensor, TypedArray } from 'tenfold';
import { expect } from 'vitest';

export const rightOf = <A>(either: Either<FormatError, A>): A => {
  if (isRight(either)) return either.right;
  throw either.left;
};

export const leftOf = (either: Either<FormatError, unknown>): FormatError => {
  if (isLeft(either)) return either.left;
  throw new Error('it succeeded');
};

const bitsOf = (x: Tensor): Uint8Array => {
  const { buffer, byteOffset, byteLength } = x.dataSync() as TypedArray;
  return new Uint8Array(buffer, byteOffset, byteLength);
};

/** The same shape, dtype and bits. */
export const expectSame = (actual: Tensor | undefined, expected: Tensor): void => {
  expect([actual?.dtype, actual?.shape]).toEqual([expected.dtype, expected.shape]);
  expect(bitsOf(actual!)).toEqual(bitsOf(expected));
};
