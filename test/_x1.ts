process.env.VK_DRIVER_FILES = '/usr/lib/chromium/vk_swiftshader_icd.json';
import { device, deviceInfo, tensor, add, transpose, sum, max, permute, arange, type Tensor, mul, full, zeros, cast, toDevice, argmax, take, explain, reshape } from 'tenfold';
const t0 = performance.now();
const log = (...a: unknown[]) => console.log(((performance.now() - t0) / 1000).toFixed(2), ...a);
console.log((await device('gpu', { mode: 'webgpu' })).mode, deviceInfo().limits);
const n = 2 ** 24 + 3;
const a = new Float32Array(n);
for (let i = 0; i < n; i++) a[i] = i % 1000;
const x = tensor(a);
log('made');
const attempt = async (name: string, f: () => Tensor | Promise<Tensor>, check: (d: ArrayLike<number>) => unknown) => {
  try {
    const r = await f();
    const d = await r.data() as ArrayLike<number>;
    log(name, check(d));
  } catch (e) { log(name, String(e).slice(0, 600)); }
};
await attempt('flat', () => add(mul(x, 2), 1) as Tensor, d => { let bad = 0; for (let i = 0; i < n; i++) if (d[i] !== (i % 1000) * 2 + 1) bad++; return [d.length, bad]; });
await attempt('sum', () => sum(x) as Tensor, d => { let s = 0; for (let i = 0; i < n; i++) s += a[i]!; return [d[0], s]; });
const b = new Float32Array(2 ** 24 + 1); b[2 ** 24] = 5;
await attempt('max', () => max(tensor(b)) as Tensor, d => d[0]);
await attempt('arange', () => arange(n) as Tensor, d => { let bad = 0; for (let i = 0; i < n; i++) if (d[i] !== i) bad++; return [bad, d.length, d.constructor.name]; });
await attempt('arange int add', () => add(arange(2**23+5), 1) as Tensor, d => { let bad = 0; for (let i = 0; i < 2**23+5; i++) if (d[i] !== i+1) bad++; return [bad, d.length, d.constructor.name]; });
await attempt('argmax', () => argmax(x) as Tensor, d => d[0]);
await attempt('take', () => take(x, tensor([0, n-1, n-2, 1], {dtype:'int32'})) as Tensor, d => [...d as never]);

const big = (k: number) => { const c = new Float32Array(k); for (let i = 0; i < k; i++) c[i] = (i * 7919) % 1000003; return c; };
const transposed = async (r: number, c: number) => {
  const v = big(r * c); const y = tensor(v);
  await attempt(`transposed ${r} ${c}`, () => add(transpose(reshape(y, [r, c])), 1) as Tensor, d => { let bad = 0; for (let i = 0; i < c; i++) for (let j = 0; j < r; j++) if (d[i*r+j] !== v[j*c+i]!+1) bad++; return bad; });
};
await transposed(4099, 4101);
await transposed(64, 262147);
await transposed(16, 1048583);
await transposed(33, 600011);
await transposed(600011, 33);
{ const v = big(257*263*271); const y = reshape(tensor(v), [257, 263, 271]);
await attempt(`3d`, () => add(permute(y, [2,1,0]), 1) as Tensor, d => { let bad = 0; for (let i = 0; i < 271; i++) for (let j = 0; j < 263; j++) for (let k = 0; k < 257; k++) if (d[(i*263+j)*257+k] !== v[(k*263+j)*271+i]!+1) bad++; return bad; });
await attempt(`3d sum of permuted`, () => sum(mul(permute(y, [2,1,0]), reshape(tensor(big(257*263*271)), [271,263,257]))) as Tensor, d => d[0]);
 }
await attempt('arange int', () => arange(n, {dtype:'int32'}) as Tensor, d => { let bad = 0; for (let i = 0; i < n; i++) if (d[i] !== i) bad++; return [bad, d.length, d.constructor.name]; });
await attempt('arange int nice', () => arange(2**24+2**10, {dtype:'int32'}) as Tensor, d => { let bad = 0; for (let i = 0; i < 2**24+2**10; i++) if (d[i] !== i) bad++; return [bad, d.length, d.constructor.name]; });
await attempt('arange sum', () => sum(arange(n, {dtype:'int32'})) as Tensor, d => [d[0], ((n-1)*n/2)|0]);
await attempt('arange sum bigger', () => sum(arange(2*n, {dtype:'int32'})) as Tensor, d => [d[0], Number(BigInt.asIntN(32, (BigInt(2*n)-1n)*BigInt(n)))]);
for (const k of [2**24+1, 2**24+3, 2**25+2, 2**25+3, 33554467, 2**26+4, 2**26 + 9]) { const last = new Float32Array(k); last[k-1] = 5; last[k-2]=3;
await attempt('max last '+k, () => max(tensor(last)) as Tensor, d => d[0]);
await attempt('sum last '+k, () => sum(tensor(last)) as Tensor, d => d[0]);}
await attempt('too big', () => add(zeros([2**28+8]), 1) as Tensor, d => d.length);
await device('cpu');
