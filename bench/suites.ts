/** What is measured: each case is built once, checked by its own expected value, then timed. */
import { add, matmul, mul, realize, sum, type Tensor, tensor } from 'tenfold';
import { cosineBetas, gaussianDiffusion, training } from 'tenfold/diffusion';
import { residualMlp } from 'tenfold/nn';
import { adam } from 'tenfold/optim';
import { key, normal } from 'tenfold/random';

/** One thing to time. `run` returns a number to compare with `expected`, so that nothing is timed that is wrong. */
export interface Case {
  readonly name: string;
  /** Floating-point operations of one run, where that is a useful measure. */
  readonly flops?: number;
  readonly expected?: number;
  readonly run: () => number;
}

const square = (n: number): Case => {
  const x = realize(normal(key(1), [n, n]));
  const identity = tensor(
    Float32Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0)),
    [n, n],
  );
  const total = sum(x).item();
  return {
    name: `${n}`,
    flops: 2 * n ** 3,
    expected: total,
    run: () => sum(matmul(x as Tensor, identity as Tensor)).item() as number,
  };
};

const trainStep = (hidden: number): Case => {
  const model = residualMlp({ size: 64, hidden, blocks: 2 });
  const run = training({ diffusion: gaussianDiffusion(cosineBetas(1000)), model, optimizer: adam(1e-3) });
  const start = run.init(key(0));
  const batch = realize(normal(key(1), [128, 1, 8, 8]));
  // The model starts at zero, so its first loss is the mean square of the noise.
  return { name: `residual MLP ${hidden}, batch 128`, run: () => run.step(start, batch)[1].loss.item() };
};

const small = (): Case => {
  const x = realize(
    tensor(
      Float32Array.from({ length: 16 }, (_, i) => i),
      [16],
    ),
  );
  return { name: 'a·x + b, 16 elements, read', expected: 47, run: () => add(mul(x, 3), 2).dataSync()[15]! };
};

/** The suites by name; each is built when it is run. */
export const suites: Readonly<Record<string, () => readonly Case[]>> = {
  small: () => [small()],
  gemm: () => [64, 256].map(square),
  train: () => [trainStep(192)],
};
