import { add, mul, jit, realize, tensor, sum, tanh, softmax, type Tensor } from 'tenfold';
import { residency } from '../src/tensor/backend/wasm/wasm.js';
const x = realize(tensor(Float32Array.from({length:16},(_, i)=>i),[16])) as Tensor;
const f = jit((x: Tensor) => add(mul(x,3),2) as Tensor);
const time = async (name: string, run: () => unknown, n: number, rounds = 9) => {
  const ts: number[] = [];
  for (let r = 0; r < rounds; r++) {
    (globalThis as any).gc?.(); await new Promise(r => setTimeout(r, 5));
    const t0 = performance.now(); for (let i = 0; i < n; i++) run(); ts.push((performance.now()-t0)/n);
  }
  ts.sort((a,b)=>a-b); console.log(name.padEnd(24), (1000*ts[rounds>>1]!).toFixed(2), 'us');
};
const which = process.argv[2] ?? 'all';
if (which === 'all' || which === 'small') {
await time('jitted', () => f(x), 20000);
await time('jitted read', () => f(x).dataSync(), 20000);
await time('unjitted', () => realize(add(mul(x,3),2)), 20000);
await time('unjitted read', () => add(mul(x,3),2).dataSync(), 20000);
}
if (which === 'all' || which === 'big') {
const n = 2**20;
const a = realize(tensor(Float32Array.from({length:n},(_, i)=>Math.sin(i)),[n])) as Tensor;
const rows = realize(tensor(Float32Array.from({length:n},(_, i)=>Math.sin(i)),[1024,1024])) as Tensor;
const g = jit((a: Tensor) => add(mul(a,a),1) as Tensor);
const t10 = jit((a: Tensor) => { let y = a; for (let i = 0; i < 10; i++) y = tanh(add(mul(y,1.1),0.1)) as Tensor; return y; });
const s = jit((a: Tensor) => sum(a) as Tensor);
const sm = jit((a: Tensor) => softmax(a) as Tensor);
await time('a*a+1', () => g(a), 50);
await time('sum', () => s(a), 200);
await time('softmax', () => sm(rows), 30);
await time('tanh10', () => t10(a), 5);
console.log(residency().stats);
}
if (which === 'hot') {
const n = 2**20;
const a = realize(tensor(Float32Array.from({length:n},(_, i)=>Math.sin(i)),[n])) as Tensor;
const g = jit((a: Tensor) => add(mul(a,a),1) as Tensor);
for (let i = 0; i < 200; i++) { g(a); if (i % 20 === 0) { (globalThis as any).gc?.(); await new Promise(r => setTimeout(r, 2)); } }
await time('a*a+1 x1', () => g(a), 1, 60);
await time('a*a+1 x2', () => g(a), 2, 60);
await time('a*a+1 x4', () => g(a), 4, 60);
await time('a*a+1 x16', () => g(a), 16, 30);
await time('a*a+1 x100', () => g(a), 100, 30);
}
