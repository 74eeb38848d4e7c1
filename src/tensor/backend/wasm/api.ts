/** The parts of the platform that are used here; TypeScript has them only together with the DOM. */

/** The buffer of a shared memory is a SharedArrayBuffer, which views take as well: results must be copied through views. */
export interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

interface WasmApi {
  validate(bytes: Uint8Array): boolean;
  readonly Memory: new (limits: {
    readonly initial: number;
    readonly maximum: number;
    readonly shared?: boolean;
  }) => WasmMemory;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: { readonly env: Readonly<Record<string, unknown>> },
  ) => { readonly exports: Readonly<Record<string, unknown>> };
}

export const wasmApi = (): WasmApi => (globalThis as unknown as { readonly WebAssembly: WasmApi }).WebAssembly;

/** Milliseconds from some moment on, as fine as the platform has them. */
export const now: () => number = (() => {
  const clock = (globalThis as { readonly performance?: { now(): number } }).performance;
  return clock === undefined ? Date.now : () => clock.now();
})();
