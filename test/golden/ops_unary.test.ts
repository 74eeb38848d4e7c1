/** Functions of one tensor, elementwise, as PyTorch has them. */

import type { Tensor } from 'tenfold';
import * as tenfold from 'tenfold';
import { type Operation, operationTests } from './operations.js';
import { activations } from './tables/activations.js';

/** Functions that take a tensor and nothing else. */
const { abs, acos, acosh, asin, asinh, atan, atanh, ceil, cos, cosh, digamma, erf, erfc, erfinv, exp, exp2 } = tenfold;
const { expm1, floor, lgamma, log, log10, log1p, log2, neg, reciprocal, round, rsqrt, sigmoid, sign } = tenfold;
const { sin, sinc, sinh, sqrt, square, tan, tanh, trunc } = tenfold;

const functions: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  ...{ abs, acos, acosh, asin, asinh, atan, atanh, ceil, cos, cosh, digamma, erf, erfc, erfinv, exp, exp2 },
  ...{ expm1, floor, lgamma, log, log10, log1p, log2, neg, reciprocal, round, rsqrt, sigmoid, sign },
  ...{ sin, sinc, sinh, sqrt, square, tan, tanh, trunc },
};
const plain = Object.entries(functions).map(([name, f]): [string, Operation] => [name, ({ x }) => f(x!)]);

operationTests('ops_unary', { ...Object.fromEntries(plain), ...activations });
