/** Calls of eigendecompositions that must fail. */
import { eigh, eigvalsh, tensor, zeros } from 'tenfold';
import type { BadInputs } from './types.js';

type Any = (...args: readonly unknown[]) => unknown;

const x = zeros([2, 2]);

const refused = (f: unknown): BadInputs[string] => {
  const call = f as Any;
  return [
    () => call([[1]]),
    () => call(2),
    () => call(null),
    () => call(tensor(1)),
    () => call(zeros([3])),
    () => call(zeros([2, 3])),
    () => call(zeros([3, 3, 2])),
    () => call(zeros([2, 2], { dtype: 'uint8' })),
    () => call(x, 'U'),
    () => call(x, x),
    () => call(x, { upper: 1 }),
    () => call(x, { upper: 'upper' }),
    () => call(x, { upper: x }),
    () => call(x, { lower: true }),
    () => (call({ upper: true }) as Any)([[1]]),
  ];
};

export const eigendecomposition: BadInputs = { eigh: refused(eigh), eigvalsh: refused(eigvalsh) };
