import { add, mul, tensor, sum, type Tensor } from 'tenfold';
import { planOf } from '../src/tensor/backend/wasm/plan.js';
import { programOfPending } from '../src/tensor/compile/program.js';
import { nodeOf } from '../src/tensor/tensor.js';
import { link } from '../src/tensor/backend/wasm/assembler.js';
import { writeProgram } from '../src/tensor/backend/wasm/emit.js';
import { writeFileSync } from 'node:fs';
const n = 2**20;
const a = tensor(new Float32Array(n),[n]) as Tensor; a.dataSync();
for (const [name, y] of [['aa1', add(mul(a,a),1)], ['sum', sum(a)]] as const) {
const plan = planOf(programOfPending([nodeOf(y as Tensor)]).program);
const { bytes } = link([{ name: 'main', writer: writeProgram(plan) }, ...plan.steps.flatMap((s,i)=>s.kind==='kernel'?[{name:'k'+i, writer:s.code.writer}]:[])]);
writeFileSync('/tmp/'+name+'.wasm', bytes);
const memory = new (globalThis as any).WebAssembly.Memory({ initial: 4096, maximum: 65536 });
const { exports } = new (globalThis as any).WebAssembly.Instance(new (globalThis as any).WebAssembly.Module(bytes), { env: { memory } });
new Float32Array(memory.buffer, 16<<20, n).fill(1.5); new Uint8Array(memory.buffer, 32<<20).fill(1);
const dv = new DataView(memory.buffer);
const arena = 1<<20, table = arena + plan.bytes;
for (let j = 0; j < 3; j++) {
dv.setUint32(table, 16<<20, true);
const ts: number[] = [];
for (let r = 0; r < 300; r++) { dv.setUint32(table+4, (32 + (j*r%16)*8)<<20, true); const t0 = performance.now(); exports.main(arena, table); ts.push(performance.now()-t0); }
ts.sort((p,q)=>p-q); console.log(name, (1000*ts[150]!).toFixed(1),'us');
}
}
