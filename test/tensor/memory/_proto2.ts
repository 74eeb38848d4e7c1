import { jit, mean, square, sub, valueAndGrad, zeros, type Tensor } from 'tenfold';
import { adam, applyUpdates } from 'tenfold/optim';
import { residency } from '/work/main/src/tensor/backend/wasm/wasm.ts';
const MiB = 2**20;
residency().limit = Number(process.argv[4] ?? 256)*MiB;
const every = Number(process.argv[3] ?? 10);
const opt = adam(0.01);
const loss = (w: Tensor) => mean(square(sub(w, 1) as Tensor) as Tensor) as Tensor;
const step = jit(({w, s}: any) => { const [l, g] = (valueAndGrad(loss) as any)(w); const [u, s2] = opt.update(g, s, w); return {w: applyUpdates(w, u), s: s2, l}; });
let state: any = {w: zeros([1024,1024]), s: opt.init(zeros([1024,1024]))};
const n = Number(process.argv[2] ?? 400);
const t0 = performance.now();
const st = residency().stats;
let last = performance.now();
for (let i=0;i<n;i++){ 
  const {w,s,l} = step(state); state={w,s};
  if (i%every===0) await new Promise(r=>setImmediate(r));
  if (i%100===99){ const now=performance.now(); console.log(i, l.item(), ((now-last)/100).toFixed(2)+' ms/step', 'rss', (process.memoryUsage().rss/MiB).toFixed(0), 'ab', (process.memoryUsage().arrayBuffers/MiB).toFixed(0), 'wasm', residency().memory.buffer.byteLength/MiB, 'evict ms/step', (st.evictionMs/(i+1)).toFixed(2), 'out/step MB', (st.copiedOutBytes/MiB/(i+1)).toFixed(2), st.evictions); last=now;}
}
console.log(performance.now()-t0, JSON.stringify(st));
