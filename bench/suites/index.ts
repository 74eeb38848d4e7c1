/** The suites by name. */
import { compile } from './compile.js';
import { conv } from './conv.js';
import { fft } from './fft.js';
import { fold } from './fold.js';
import { fused } from './fused.js';
import { gemm } from './gemm.js';
import { gpu } from './gpu.js';
import { limit } from './limit.js';
import { linalg } from './linalg.js';
import { ops } from './ops.js';
import { sample } from './sample.js';
import { size } from './size.js';
import { small } from './small.js';
import type { Suite } from './suite.js';
import { train } from './train.js';
import { types } from './types.js';

export const suites: ReadonlyMap<string, Suite> = new Map(
  Object.entries({ limit, small, fused, ops, linalg, fft, gemm, conv, train, sample, fold, compile, size, types, gpu }),
);
