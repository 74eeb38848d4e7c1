/** The groups of single operations. */
import type { GroupOfOperations } from '../operations.js';
import { binary } from './binary.js';
import { convolutions } from './conv.js';
import { distributions } from './distributions.js';
import { transforms } from './fft.js';
import { linalg } from './linalg.js';
import { products } from './matmul.js';
import { nn } from './nn.js';
import { reductions } from './reduce.js';
import { shapes } from './shape.js';
import { unary } from './unary.js';

export const groups = {
  ops_unary: { name: 'ops_unary', operations: unary },
  ops_binary: { name: 'ops_binary', operations: binary },
  ops_reduce: { name: 'ops_reduce', operations: reductions },
  ops_matmul: { name: 'ops_matmul', operations: products },
  ops_shape: { name: 'ops_shape', operations: shapes },
  ops_conv: { name: 'ops_conv', operations: convolutions },
  ops_nn: { name: 'ops_nn', operations: nn },
  ops_linalg: { name: 'ops_linalg', operations: linalg },
  ops_fft: { name: 'ops_fft', operations: transforms },
  distributions: { name: 'distributions', operations: distributions },
} as const satisfies Readonly<Record<string, GroupOfOperations>>;
