/** Products of square matrices. */
import { uniform } from '../inputs.js';
import { type Case, measure } from '../measure.js';
import { candidates, type Suite } from './suite.js';

const square = (n: number): Case => ({
  name: `${n}`,
  flops: 2 * n ** 3,
  runners: candidates({ program: 'matmul', inputs: [uniform(0, [n, n]), uniform(1, [n, n])] }),
});

export const gemm: Suite = {
  about: 'products of square matrices',
  run: (effort, report) => measure('gemm', [64, 128, 256, 512, 1024, 2048].map(square), effort, report),
};
