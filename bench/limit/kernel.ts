/** Kernels of the limits as data, so that they run on this thread and on others alike. */

export const pageBytes = 65_536;

/** A module that imports `env.memory`, and the calls of its functions that make one run. */
export interface LimitKernel {
  readonly module: Uint8Array;
  /** Size of the memory. */
  readonly pages: number;
  readonly calls: readonly { readonly name: string; readonly arguments: readonly number[] }[];
  /** Runs write to so many places in turn, so many bytes from one to the next: the second argument is where to. */
  readonly places?: { readonly count: number; readonly bytes: number };
}

type Exports = Readonly<Record<string, (from: number, to: number) => void>>;

/** The part of the WebAssembly API that the limits need; TypeScript has it only together with the DOM. */
interface WasmApi {
  readonly Memory: new (limits: { readonly initial: number }) => { readonly buffer: ArrayBuffer };
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
}

const wasmApi = (globalThis as unknown as { readonly WebAssembly: WasmApi }).WebAssembly;

/** The kernel as a function: one run, of all its calls. */
export const instantiateKernel = ({
  module,
  pages,
  calls,
  places = { count: 1, bytes: 0 },
}: LimitKernel): (() => void) => {
  const { Instance, Memory, Module } = wasmApi;
  const memory = new Memory({ initial: pages });
  // Pages that were never written are all the same page of zeros, which no cache misses.
  new Float32Array(memory.buffer).fill(1.5);
  const exports = new Instance(new Module(module), { env: { memory } }).exports as Exports;
  const bound = calls.map(({ name, arguments: args }) => ({ call: exports[name]!, args }));
  let turn = 0;
  return () => {
    const shift = (turn++ % places.count) * places.bytes;
    for (const { call, args } of bound) call(args[0]!, args[1]! + shift);
  };
};
