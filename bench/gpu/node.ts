/** The suite in Node, on WebGPU through the package webgpu. It is bundled: see `bundle.ts`. */
import { existsSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Row } from '../row.js';
import { type GpuOptions, type GpuOutcome, type Host, runGpu } from './gpu.js';
import { requestAdapter } from './webgpu.js';

/** Debian's chromium brings an adapter in software. */
const swiftshader = '/usr/lib/chromium/vk_swiftshader_icd.json';

/** Everything in this process asks `navigator.gpu`; the first one to ask finds this one there. */
const installWebgpu = async (): Promise<void> => {
  const { create, globals } = (await import('webgpu')) as {
    readonly create: (options: readonly string[]) => object;
    readonly globals: object;
  };
  Object.assign(globalThis, globals);
  // jax-js asks for its user's agent, which Node 20 does not have.
  const { userAgent = `Node.js/${process.versions.node}` } = (Reflect.get(globalThis, 'navigator') ?? {}) as {
    userAgent?: string;
  };
  const install = (): void => {
    const value = { userAgent, gpu: create([]) };
    Object.defineProperty(globalThis, 'navigator', { value, configurable: true, writable: true });
  };
  install();
  if (process.env.VK_DRIVER_FILES !== undefined || !existsSync(swiftshader)) return;
  if ((await requestAdapter()) !== null) return;
  process.env.VK_DRIVER_FILES = swiftshader;
  install();
};

const host: Host = {
  runtime: `Node ${process.versions.node}`,
  noWebgl: 'tfjs draws on a canvas of a page for WebGL, and Node has none',
};

/** The rows; the process should end when they are there, since not all peers let go of their devices. */
export const run = async (options: GpuOptions, report: (rows: readonly Row[]) => void): Promise<GpuOutcome> => {
  setFlagsFromString('--expose-gc');
  (globalThis as { gc?: unknown }).gc ??= runInNewContext('gc');
  try {
    await installWebgpu();
  } catch (error) {
    console.log(`no WebGPU in this process: ${error instanceof Error ? error.message : String(error)}`);
  }
  return runGpu(options, host, text => console.log(text), report);
};
