/**
 * ONNX Runtime on its wasm provider. It runs models: here of one node, whose operands, weights included, are inputs, since
 * that is what a product takes and a layer in training. A run copies the operands in and the result out.
 */
import { createRequire } from 'node:module';
import { setTimeout } from 'node:timers/promises';
import type { Input } from '../inputs.js';
import type { Library, Prepared, ProgramName } from '../library.js';
import { onnxModel } from './onnx-model.js';
import { hasNode, nodeOf } from './onnx-nodes.js';

type Runtime = typeof import('onnxruntime-web');

/** Its threads go on looking for work for about 15 ms. */
const spinning = 30;

const output = 'result';

/** It gives Node the web's `Worker`, which would have other libraries believe that they are in a browser. */
const withoutWorker = async <R>(work: () => Promise<R>): Promise<R> => {
  const before = Reflect.get(globalThis, 'Worker');
  try {
    return await work();
  } finally {
    if (before === undefined) Reflect.deleteProperty(globalThis, 'Worker');
    else Reflect.set(globalThis, 'Worker', before);
  }
};

const prepare = async (runtime: Runtime, program: ProgramName, inputs: readonly Input[]): Promise<Prepared> => {
  const shapes = inputs.map(({ shape }) => shape);
  const node = nodeOf(program, shapes);
  const operands = node.operands.map(i => ({ name: `input${i}`, ...inputs[i]! }));
  const model = onnxModel(node, operands, output);
  const session = await withoutWorker(() => runtime.InferenceSession.create(model, { executionProviders: ['wasm'] }));
  const feeds = Object.fromEntries(
    operands.map(({ name, values, shape }) => [name, new runtime.Tensor('float32', values, shape)]),
  );
  return {
    compute: async () => {
      await session.run(feeds);
    },
    read: async () => [(await session.run(feeds))[output]!.data as Float32Array],
    dispose: () => session.release(),
  };
};

const onThreads = (name: string, threads: number, load: () => Promise<Runtime>): Library => {
  let loaded: Promise<Runtime> | undefined;
  const runtime = (): Promise<Runtime> => {
    loaded ??= load().then(loading => {
      loading.env.wasm.numThreads = threads;
      return loading;
    });
    return loaded;
  };
  return {
    name,
    threads,
    compiles: false,
    refusal: program => {
      if (hasNode(program)) return null;
      return program.startsWith('convKernel') ? 'no gradients' : 'not a program of one node';
    },
    enter: async () => {
      await runtime();
    },
    ...(threads > 1 && { leave: () => setTimeout(spinning) }),
    prepare: async (program, inputs) => prepare(await runtime(), program, inputs),
  };
};

export const onnxruntime: Library = onThreads('onnxruntime-web', 1, () => import('onnxruntime-web'));

/** Its number of threads holds for all sessions of a copy, and this is another one: that for CommonJS. */
export const onnxruntimeOnTwo: Library = onThreads('onnxruntime-web 2 threads', 2, async () =>
  createRequire(import.meta.url)('onnxruntime-web'),
);
