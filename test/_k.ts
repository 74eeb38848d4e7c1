import { add, mul, tanh, sum, tensor, matmul, softmax, relu, permute, valueAndGrad, square, sub, mean, type Tensor } from 'tenfold';
import { key, normal } from 'tenfold/random';
import { layerNorm, residualMlp } from 'tenfold/nn';
import { training, gaussianDiffusion, cosineBetas } from 'tenfold/diffusion';
import { adam } from 'tenfold/optim';
import { planOf } from '../src/tensor/backend/wasm/plan.js';
import { programOfPending } from '../src/tensor/compile/program.js';
import { nodeOf } from '../src/tensor/tensor.js';
import { leavesOf } from '../src/tensor/transform/arguments.js';
const show = (name: string, tree: unknown, full = true) => {
  const { program } = programOfPending(leavesOf('x', tree).nodes);
  const t0 = performance.now();
  const plan = planOf(program);
  console.log(name, 'instructions', program.instructions.length, 'steps', plan.steps.length, 'bytes', plan.bytes, (performance.now()-t0).toFixed(1),'ms');
  if (full) for (const s of plan.steps) {
    if (s.kind === 'kernel') console.log('  kernel', s.kernel.space.map(a=>a.length+(a.reduced?'r':'')).join('x'), s.kernel.values.map(v=>v.kind==='operation'?v.op:v.kind==='reduce'?'R:'+v.op:v.kind).join(' '), 'stores', s.kernel.stores.length);
    else console.log('  ', s.kind, (s as any).instruction?.op, JSON.stringify((s as any).product ?? (s as any).bytes ?? ''));
  }
};
const x = normal(key(0),[64,256]) as Tensor; x.dataSync();
show('softmax', softmax(x));
const ln = layerNorm(256); const p = ln.init(key(1)); leavesOf('x', p).nodes.forEach(n=>{}); (await import('tenfold')).realize(p);
show('layernorm', ln.apply(p, x));
show('random', relu(normal(key(3),[64,64])));
const model = residualMlp({ size: 64, hidden: 32, blocks: 1 });
const run = training({ diffusion: gaussianDiffusion(cosineBetas(1000)), model, optimizer: adam(1e-3) });
let start = run.init(key(0)); (await import('tenfold')).realize(start as never);
const batch = normal(key(1), [128,1,8,8]); batch.dataSync();
const [s2, m] = run.step(start, batch as never);
show('train', [s2, m], true);
import { wasmBackend } from '../src/tensor/backend/wasm/wasm.js';
import { realize } from 'tenfold';
const orig = wasmBackend.compile;
(wasmBackend as any).compile = (program: any) => {
  const t0 = performance.now();
  const plan = planOf(program);
  console.log('COMPILED instructions', program.instructions.length, 'steps', plan.steps.length, 'bytes', plan.bytes, (performance.now()-t0).toFixed(1),'ms');
  for (const s of plan.steps) {
    if (s.kind === 'kernel') console.log('  kernel', s.kernel.space.map(a=>a.length+(a.reduced?'r':'')).join('x'), s.kernel.values.map(v=>v.kind==='operation'?v.op:v.kind==='reduce'?'R:'+v.op:v.kind).join(' '), 'stores', s.kernel.stores.length);
    else console.log('  ', s.kind, (s as any).instruction?.op, JSON.stringify((s as any).product ?? (s as any).bytes ?? ''));
  }
  return orig(program);
};
const r2 = realize(run.step(start, batch as never)) as any;
const r3 = realize(run.step(r2[0], batch as never)) as any;
