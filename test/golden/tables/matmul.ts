/** Products that sum over axes. */
import { add, dot, einsum, kron, matmul, mul, outer, slice, swapAxes, type Tensor, tensordot } from 'tenfold';
import type { Operation, Operations } from '../operations.js';
import { arrayOf, booleanOf, type Json, numberOf, numbersOf, stringOf } from '../read.js';

const product: Operation = ({ a, b }) => matmul(a!, b!);

const flipped = (x: Tensor, flip: Json | undefined): Tensor => (booleanOf(flip) ? swapAxes(x, -2, -1) : x);

export const products: Operations = {
  matmul: product,
  bmm: product,
  matmul_t: ({ a, b }, args) => matmul(flipped(a!, args.transpose_a), flipped(b!, args.transpose_b)),
  outer: ({ a, b }) => outer(a!, b!),
  dot: ({ a, b }) => dot(a!, b! as never),
  tensordot: ({ a, b }, { axes }) =>
    tensordot(
      a!,
      b!,
      typeof axes === 'number'
        ? axes
        : (arrayOf(axes).map(numbersOf) as never as [readonly number[], readonly number[]]),
    ),
  kron: ({ a, b }) => kron(a!, b!),
  linear: ({ x, weight, bias }) => {
    const y = einsum('...i,oi->...o', x!, weight!);
    return bias === undefined ? y : (add(y, bias) as Tensor);
  },
  addmm: ({ x, a, b }, { beta, alpha }) =>
    add(mul(x!, numberOf(beta)) as Tensor, mul(matmul(a!, b!), numberOf(alpha)) as Tensor) as Tensor,
  trace: ({ x }) => {
    const n = Math.min(...x!.shape);
    return einsum('ii->', slice(x!, [0, 0], [n, n]));
  },
  einsum: (inputs, { equation }) => {
    const operands = Object.keys(inputs).map((_, i) => inputs[`x${i}`]!);
    return einsum(stringOf(equation), ...(operands as [Tensor, ...Tensor[]]));
  },
};
