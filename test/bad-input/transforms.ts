/** Functions of functions: derivatives, batches, programs, loops, branches; and settings. */
import {
  add,
  checkFinite,
  checkpoint,
  compile,
  cond,
  customBatch,
  customJvp,
  customOp,
  customVjp,
  device,
  explain,
  fold,
  foldChunks,
  forLoop,
  grad,
  hessian,
  hvp,
  jacfwd,
  jacrev,
  jit,
  jvp,
  linearize,
  makeGraph,
  mul,
  realize,
  scan,
  setDeterministic,
  setMemoryLimit,
  setThreads,
  setWinograd,
  sum,
  switchOn,
  type Tensor,
  type TensorSpec,
  tensor,
  toDevice,
  valueAndGrad,
  vjp,
  vmap,
  whileLoop,
  zeros,
} from 'tenfold';
import type { BadInputs } from './types.js';

type Any = (...args: unknown[]) => never;

/** A function without its types. */
const untyped = (f: unknown): ((...args: unknown[]) => Any) => f as (...args: unknown[]) => Any;

const x = tensor([1, 2]);
const ints = tensor([1, 2], { dtype: 'int32' });
const yes = tensor(true);
const square = (v: Tensor): Tensor => mul(v, v);
const loss = (v: Tensor): Tensor => sum(square(v));
const later = async (v: Tensor): Promise<Tensor> => v;
const reads = (v: Tensor): Tensor => tensor(v.toArray() as number[]);
const longer = (): Tensor => zeros([3]);
const operation = { name: 'operation', result: (v: TensorSpec) => v, kernel: () => {} };

/** What is the name of no device. */
const badDevices = [null, '', 'tpu', 'GPU', 'webgpu', 0, x];

/** What any transform refuses as its function. */
const noFunctions = (transform: unknown): BadInputs[string] =>
  [undefined, null, 3, x, 'sum'].map(f => () => untyped(transform)(f)(x));

const scalarLoss = (transform: unknown): BadInputs[string] => [
  ...noFunctions(transform),
  () => untyped(transform)(square)(x),
  () => untyped(transform)(() => 1)(x),
  () => untyped(transform)(later)(x),
  () => untyped(transform)(loss)(ints),
  () => untyped(transform)(loss)([1, 2]),
];

const jacobian = (transform: unknown): BadInputs[string] => [
  ...noFunctions(transform),
  () => untyped(transform)(later)(x),
  () => untyped(transform)(square)(ints),
  () => untyped(transform)(square)([1, 2]),
  () => untyped(transform)(() => 1)(x),
];

const traced = (transform: unknown): BadInputs[string] => [
  ...noFunctions(transform),
  () => untyped(transform)(reads)(x),
  () => untyped(transform)(later)(x),
];

const stepped = (operation: unknown): BadInputs[string] => [
  () => untyped(operation)(null)(x, 3),
  () => untyped(operation)(add)(1, 3),
  () => untyped(operation)(add)(x, -1),
  () => untyped(operation)(add)(x, 1.5),
  () => untyped(operation)(add)(x, Number.NaN),
  () => untyped(operation)(add)(x, [x, zeros([3])]),
  () => untyped(operation)(add)(x, tensor(1)),
  () => untyped(operation)(longer)(x, 3),
  () => untyped(operation)(() => [longer(), x])(x, 3),
  () => untyped(operation)(add, { segments: 0 })(x, 3),
  () => untyped(operation)(add, { segments: 'all' })(x, 3),
];

export const transforms: BadInputs = {
  grad: scalarLoss(grad),
  valueAndGrad: [...scalarLoss(valueAndGrad), () => valueAndGrad(loss as never, { aux: true })(x)],
  vjp: [
    ...[undefined, 3, x].map(f => () => vjp(f as never, x)),
    () => vjp(square, ints),
    () => vjp(square, [1, 2] as never),
    () => vjp(later as never, x),
    () => vjp(square, x)[1](longer()),
    () => vjp(square, x)[1]([1, 1] as never),
  ],
  jvp: [
    ...[undefined, 3, x].map(f => () => jvp(f as never, [x], [x])),
    () => jvp(square, [x], [longer()]),
    () => jvp(square, [x], [] as never),
    () => jvp(square, [ints], [ints]),
    () => jvp(later as never, [x], [x]),
    () => jvp(square, x as never, x as never),
  ],
  linearize: [
    ...noFunctions(linearize),
    () => linearize(square)(ints),
    () => untyped(linearize)(later)(x),
    () => linearize(square)(x)[1](longer()),
  ],
  hessian: jacobian(hessian),
  jacfwd: jacobian(jacfwd),
  jacrev: jacobian(jacrev),
  hvp: [
    ...noFunctions(hvp),
    () => hvp(square)(x, x),
    () => hvp(loss)(x, longer()),
    () => hvp(loss)(ints, ints),
    () => hvp(loss)(x, undefined as never),
  ],
  vmap: [
    ...traced(vmap),
    () => untyped(vmap)(add)(x, longer()),
    () => vmap(square)(tensor(1) as never),
    () => vmap(square, { in: 2 })(x),
    () => vmap(square, { in: 0.5 })(x),
    () => vmap(square, { in: null })(x),
    () => vmap(square, { out: null })(x),
    () => vmap(square, { out: 2 })(x),
    () => vmap(square)([1, 2] as never),
  ],
  jit: [
    ...traced(jit),
    () => jit(square, { static: [-1] }),
    () => jit(square, { static: 1 as never }),
    ...badDevices.map(name => () => jit(square, { device: name as never })),
  ],
  compile: [
    ...noFunctions(compile),
    () => compile(square, { static: [0.5] }),
    ...badDevices.map(name => () => compile(square, { device: name as never })),
    () => compile(reads)(x),
    () => compile(square)(x)(longer()),
    () => compile(square)(x)(ints),
    () => compile(square)(x)([1, 2] as never),
  ],
  makeGraph: [...traced(makeGraph), () => makeGraph(square, { static: [-1] })],
  explain: [
    ...traced(explain),
    () => explain(square, { static: [-1] }),
    ...badDevices.map(name => () => explain(square, { device: name as never })),
  ],
  checkpoint: [...traced(checkpoint), () => checkpoint(square)(3 as never), () => checkpoint(() => 3)()],
  checkFinite: [
    ...noFunctions(checkFinite),
    () => checkFinite(square, { allow: 'nan' as never }),
    () => untyped(checkFinite)(later)(x),
    () => checkFinite(() => mul(tensor([Number.MAX_VALUE]), 1e300))(),
  ],
  realize: [() => realize([1, 2]), () => realize('x')],
  customVjp: [
    ...noFunctions(customVjp),
    () => customVjp(square, null as never),
    () => customVjp(square, { forward: square } as never),
    () => grad(customVjp(loss, { forward: v => [longer(), v], backward: v => [v] }))(x),
    () => grad(customVjp(loss, { forward: v => [loss(v), v], backward: () => [longer()] }))(x),
  ],
  customJvp: [
    ...noFunctions(customJvp),
    () => customJvp(square, null as never),
    () => grad(customJvp(loss, ([v]) => [longer(), v]))(x),
    () => grad(customJvp(loss, ([v]) => [loss(v), longer()]))(x),
  ],
  customBatch: [
    ...noFunctions(customBatch),
    () => customBatch(square, 3 as never),
    () => vmap(customBatch(square, () => longer()))(x),
    () => vmap(customBatch(square, () => 3 as never))(x),
  ],
  customOp: [
    ...[undefined, null, 3, x, 'op', square, []].map(definition => () => customOp(definition as never)),
    ...[
      { name: undefined },
      { name: '' },
      { name: 3 },
      { name: x },
      { result: null },
      { result: { shape: [2], dtype: 'float32' } },
      { kernel: undefined },
      { kernel: 'code' },
      { jvp: null },
      { jvp: 3 },
      { vjp: null },
      { vjp: square },
      { vjp: { forward: square } },
      { batch: true },
      { derivative: square },
    ].map(part => () => customOp({ ...operation, ...part } as never)),
    () => customOp(operation)(3 as never),
    () => customOp(operation)([x] as never),
    ...[undefined, null, 3, [], {}, { shape: [2] }, { shape: [-1], dtype: 'bool' }, { shape: [], dtype: 'half' }].map(
      result => () => untyped(customOp)({ ...operation, result: () => result })(x),
    ),
    ...[later, () => x, () => 3].map(kernel => () => customOp({ ...operation, kernel: kernel as never })(x).data()),
    () => customOp({ ...operation, kernel: () => void square(x).dataSync() })(x).data(),
    () => untyped(grad)((v: Tensor) => sum(customOp(operation)(v)))(x),
    () => untyped(vjp)(customOp(operation), x),
  ],
  fold: stepped(fold),
  scan: stepped(scan),
  foldChunks: [
    ...[undefined, {}, { every: 0 }, { every: 1.5 }, { every: Number.NaN }, { every: 1, signal: 3 }].map(
      options => () => untyped(foldChunks)(add, options),
    ),
    () => untyped(foldChunks)(null, { every: 1 }),
    () => untyped(foldChunks)(add, { every: 1 })(1, x),
    () => untyped(foldChunks)(add, { every: 1 })(x, -1),
    () => untyped(foldChunks)(add, { every: 1 })(x, tensor(1)),
  ],
  forLoop: [
    ...[-1, 1.5, Number.NaN, '3', null, x, tensor(1)].map(n => () => forLoop(n as never, square)(x)),
    () => forLoop(3, null as never)(x),
    () => forLoop(3, longer)(x),
    () => forLoop(3, square)(1 as never),
    () => forLoop(3, square, { segments: 0 })(x),
    () => forLoop(tensor(3, { dtype: 'int32' }), square, { segments: 2 })(x),
  ],
  whileLoop: [
    () => whileLoop(null as never, square)(x),
    () => whileLoop(() => yes, null as never)(x),
    () => whileLoop(() => true as never, square)(x),
    () => whileLoop(() => x as never, square)(x),
    () => whileLoop(() => yes, longer)(x),
    () => whileLoop(() => yes, square)(1 as never),
  ],
  cond: [
    () => untyped(cond)(true, square, square)(x),
    () => untyped(cond)(x, square, square)(x),
    () => untyped(cond)(yes, square, null)(x),
    () => untyped(cond)(yes, square, longer)(x),
    () => untyped(cond)(yes, square, () => [x])(x),
    () => untyped(cond)(yes, square, square)(3),
  ],
  switchOn: [
    () => untyped(switchOn)(0, [square])(x),
    () => untyped(switchOn)(x, [square])(x),
    () => untyped(switchOn)(tensor(0, { dtype: 'int32' }), [])(x),
    () => untyped(switchOn)(tensor(0, { dtype: 'int32' }), square)(x),
    () => untyped(switchOn)(tensor(0, { dtype: 'int32' }), [square, 3])(x),
    () => untyped(switchOn)(tensor(0, { dtype: 'int32' }), [square, longer])(x),
  ],
  device: [
    ...[undefined, ...badDevices].map(name => () => device(name as never)),
    ...[null, '', 'gpu', 'WebGPU', 1, x].map(mode => () => device('gpu', { mode: mode as never })),
    ...[null, 'webgpu', x, { modes: 'cpu' }].map(options => () => device('gpu', options as never)),
    () => device('cpu', { mode: 'cpu' }),
  ],
  toDevice: [
    ...[undefined, ...badDevices].map(name => () => toDevice(x, name as never)),
    () => {
      const tree: unknown[] = [x];
      tree.push(tree);
      return toDevice(tree, 'cpu');
    },
  ],
  setThreads: [0, 65, 1.5, Number.NaN, '2'].map(count => () => setThreads(count as never)),
  setMemoryLimit: [0, 2 ** 33, 2 ** 21 + 0.5, Number.NaN, '64 MiB'].map(limit => () => setMemoryLimit(limit as never)),
  setDeterministic: [0, 'yes', undefined].map(flag => () => setDeterministic(flag as never)),
  setWinograd: [1, 'no', null].map(flag => () => setWinograd(flag as never)),
};
