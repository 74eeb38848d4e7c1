import { residualMlp } from '../src/nn/index.js';
import { adam, applyUpdates, updateEma } from '../src/optim/index.js';
import { key, normal, randint, split } from '../src/random/index.js';
import { mean } from '../src/tensor/ops/reduction.js';
import { square, sub } from '../src/tensor/ops/arithmetic.js';
import { valueAndGrad } from '../src/tensor/transform/grad.js';
import { realize } from '../src/tensor/transform/realize.js';
import type { Tensor } from '../src/tensor/tensor.js';
const model = residualMlp({ size: 64, hidden: Number(process.argv[2] ?? 256), blocks: Number(process.argv[3] ?? 3) });
const opt = adam(1e-3);
let params = realize(model.init(key(0))); let s: any = opt.init(params); let ema = params;
const B = Number(process.argv[4] ?? 128);
for (let i = 0; i < 12; i++) {
  const t0 = performance.now();
  const [a, b2] = split(key(i), 2);
  const x = normal(a!, [B, 64]); const t = randint(b2!, [B], 0, 1000);
  const [v, g] = valueAndGrad((p: any) => mean(square(sub(model.apply(p, x as Tensor, t as Tensor) as Tensor, x as Tensor) as Tensor)) as Tensor)(params);
  const [u, s2] = opt.update(g, s, params); params = applyUpdates(params, u as any); s = s2; ema = updateEma(ema, params, 0.99);
  const t1 = performance.now();
  realize([params, s, ema, v]);
  console.log((v as Tensor).item(), 'build', (t1 - t0).toFixed(1), 'run', (performance.now() - t1).toFixed(1));
}
