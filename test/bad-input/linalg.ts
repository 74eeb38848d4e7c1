/** Calls of decompositions and systems of equations that must fail. */
import {
  checkedCholesky,
  checkedInv,
  checkedSolve,
  cholesky,
  choleskySolve,
  det,
  inv,
  lu,
  slogdet,
  solve,
  tensor,
  triangularSolve,
  zeros,
} from 'tenfold';
import type { BadInputs } from './types.js';

type Any = (...args: readonly unknown[]) => unknown;

const square = zeros([2, 2]);
const bytes = zeros([2, 2], { dtype: 'uint8' });

/** What no function of matrices takes. */
const refusedMatrix = (f: unknown): BadInputs[string] => {
  const call = f as Any;
  return [
    () => call([[1]]),
    () => call(2),
    () => call(null),
    () => call(bytes),
    () => call(tensor(1)),
    () => call(zeros([2])),
  ];
};

/** What no function of square matrices takes. */
const refusedSquare = (f: unknown): BadInputs[string] => [
  ...refusedMatrix(f),
  () => (f as Any)(zeros([2, 3])),
  () => (f as Any)(zeros([2, 2, 3])),
];

/** What no function of a system takes. */
const refusedSystem = (f: unknown): BadInputs[string] => {
  const call = f as Any;
  return [
    () => call([[1]], square),
    () => call(square, [1, 2]),
    () => call(square, 2),
    () => call(square, null),
    () => call(square, bytes),
    () => call(bytes, square),
    () => call(square, tensor(1)),
    () => call(square, zeros([3])),
    () => call(square, zeros([3, 2])),
    () => call(zeros([2, 3]), zeros([2])),
    () => call(zeros([2]), zeros([2])),
    () => call(zeros([2, 2, 2]), zeros([3, 2, 2])),
    () => (call(square) as Any)('x'),
  ];
};

const refusedFlag = (f: unknown, name: string): BadInputs[string] =>
  [0, 'yes', null, square].map(value => () => (f as Any)(square, square, { [name]: value }));

const singular = tensor([
  [1, 2],
  [2, 4],
]);

export const linalg: BadInputs = {
  cholesky: [
    ...refusedSquare(cholesky),
    () => cholesky(square, { upper: 1 } as never),
    () => cholesky(square, { lower: true } as never),
    () => cholesky(square, true as never),
  ],
  choleskySolve: [
    ...refusedSystem(choleskySolve),
    ...refusedFlag(choleskySolve, 'upper'),
    ...refusedFlag(choleskySolve, 'lower'),
    () => choleskySolve(square, square, true as never),
  ],
  triangularSolve: [
    ...refusedSystem(triangularSolve),
    ...['upper', 'transpose', 'unitDiagonal'].flatMap(name => refusedFlag(triangularSolve, name)),
    () => triangularSolve(square, square, { unit: true } as never),
  ],
  lu: [...refusedMatrix(lu)],
  solve: [...refusedSystem(solve)],
  inv: [...refusedSquare(inv)],
  det: [...refusedSquare(det)],
  slogdet: [...refusedSquare(slogdet)],
  checkedCholesky: [
    ...refusedSquare(checkedCholesky),
    () => checkedCholesky(singular),
    () => checkedCholesky(tensor([[Number.NaN]])),
  ],
  checkedSolve: [...refusedSystem(checkedSolve), () => checkedSolve(singular, tensor([1, 2]))],
  checkedInv: [...refusedSquare(checkedInv), () => checkedInv(singular), () => checkedInv(tensor([[Number.NaN]]))],
};
