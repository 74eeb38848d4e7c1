/** Functions of one tensor, elementwise, as PyTorch has them. */

import type { Tensor } from 'tenfold';
import * as tenfold from 'tenfold';
import { type Operation, type Operations, withDerivative } from '../operations.js';
import { activations } from './activations.js';

/** Functions that take a tensor and nothing else. */
const { abs, acos, acosh, asin, asinh, atan, atanh, ceil, cos, cosh, erf, erfc, erfinv, exp, exp2 } = tenfold;
const { expm1, floor, lgamma, log, log10, log1p, log2, neg, reciprocal, round, rsqrt, sigmoid, sign } = tenfold;
const { sin, sinc, sinh, sqrt, square, tan, tanh, trunc } = tenfold;
const { add, digamma, less, mul, stopGradient, sub, where } = tenfold;

const functions: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  ...{ abs, acos, acosh, asin, asinh, atan, atanh, ceil, cos, cosh, erf, erfc, erfinv, exp, exp2 },
  ...{ expm1, floor, lgamma, log, log10, log1p, log2, neg, reciprocal, round, rsqrt, sigmoid, sign },
  ...{ sin, sinc, sinh, sqrt, square, tan, tanh, trunc },
};
const plain = Object.entries(functions).map(([name, f]): [string, Operation] => [name, ({ x }) => f(x!)]);

/** B₂ₖ of the terms B₂ₖ / x²ᵏ⁺¹ of the trigamma function that PyTorch 1.13 leaves out, in float64 as well. */
const leftOut = [-1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798, -174611 / 330];

/** What is lacking in PyTorch's derivative of digamma: they are summed at x + 6, after six steps of recurrence, and below ½ at 7 − x. */
export const lacking = (x: Tensor): Tensor => {
  const reflected = less(x, 0.5);
  const at = where(reflected, sub(7, x), add(x, 6)) as Tensor;
  const inverse = mul(tenfold.reciprocal(at), tenfold.reciprocal(at));
  const sum = leftOut.reduceRight<Tensor>((rest, term) => mul(add(rest, term), inverse) as Tensor, mul(x, 0) as Tensor);
  const tail = mul(sum, tenfold.pow(at, -7)) as Tensor;
  return where(reflected, tenfold.neg(tail), tail) as Tensor;
};

const truncated: Operation = ({ x }) => {
  const y = digamma(x!) as Tensor;
  return withDerivative(y, sub(y, mul(x!, stopGradient(lacking(x!)))) as Tensor);
};

export const unary: Operations = { digamma: truncated, ...Object.fromEntries(plain), ...activations };
