/** Where values are computed and kept: on the CPU, or on a GPU, whose backend is loaded when it is first asked for. */
import { flattenFor } from '../tree/tree.js';
import type { Backend } from './backend/backend.js';
import type { OpenDevice } from './backend/gpu/index.js';
import type { Mode } from './backend/gpu/launch/launcher.js';
import { residency, wasmBackend } from './backend/wasm/wasm.js';
import { DeviceError, TraceError } from './errors.js';
import { computeBy, computingBy, evaluate, setGpu } from './evaluate.js';
import { bufferNode, type Node, resolve } from './graph.js';
import { kindOf } from './ops/common/checks.js';
import { checkOptions } from './ops/common/options.js';
import { checkArgument, showAval } from './shape.js';
import { HostStorage, type Storage } from './storage.js';
import { isTensor, nodeOf, type Tensor, wrap } from './tensor.js';

/** Where something is computed. */
export type DeviceName = 'cpu' | 'gpu';

/**
 * How the GPU is reached, the best way first. `webasm` and `cpu` reach none: they run on the processor what is written for a
 * GPU, and serve tests.
 */
export type DeviceMode = Mode;

/** Options of {@link device}. */
export interface DeviceOptions {
  /** The only way to try; left out, the best that works: `webgpu`, `webgl2`, `headlessgl`. */
  readonly mode?: DeviceMode;
  /**
   * Bytes of the GPU's memory for values, before the least recently used leave for ordinary arrays, from which they come back
   * when they are used: 2 GiB unless it was set before.
   */
  readonly memory?: number;
}

/** A mode that does not work here. */
export interface RefusedMode {
  readonly mode: DeviceMode;
  /** Why, in words. */
  readonly reason: string;
}

/** What is kept on a device, and what has gone there and back since it was opened. */
export interface DeviceMemory {
  /** Bytes of the values that are on it now, also of those that nobody holds and no collection has found yet. */
  readonly residentBytes: number;
  readonly residentValues: number;
  /** Bytes of values that had to leave for ordinary arrays. */
  readonly spilledBytes: number;
  /** Values that were read from it, and their bytes; none on the CPU. */
  readonly readbacks: number;
  readonly readbackBytes: number;
  /** Values that were brought to it, and their bytes; none on the CPU. */
  readonly uploads: number;
  readonly uploadedBytes: number;
  /** Kernels that were run on it, and different ones that were compiled for it; counted on a GPU only. */
  readonly launches: number;
  readonly compiled: number;
}

/** What {@link deviceInfo} tells. */
export interface DeviceInfo {
  readonly device: DeviceName;
  /** `wasm` on the CPU. */
  readonly mode: 'wasm' | DeviceMode;
  /** What the adapter of the GPU calls itself; `WebAssembly` on the CPU. */
  readonly adapter: string;
  /** Limits of the GPU by the names that WebGPU or WebGL has for them. */
  readonly limits: Readonly<Record<string, number>>;
  /** Modes that were tried before this one. On the CPU: why there is no GPU, if one was asked for. */
  readonly refused: readonly RefusedMode[];
  readonly memory: DeviceMemory;
}

/** What came of trying modes. */
interface Attempt {
  readonly device: OpenDevice | null;
  readonly refused: readonly RefusedMode[];
}

const best: readonly DeviceMode[] = ['webgpu', 'webgl2', 'headlessgl'];
const modes: readonly DeviceMode[] = [...best, 'webasm', 'cpu'];

const leastMemory = 2 ** 20;

/** What was opened or is being opened. */
const attempts = new Map<DeviceMode, Promise<Attempt>>();

/** What was chosen. */
const chosen: {
  /** Where everything is computed; no device for the CPU. */
  inUse: Attempt;
  /** The device that values are on: the one used last, and after a choice of the CPU still that one. */
  gpu: OpenDevice | null;
  /** Whether a device was asked for and none works. */
  inVain: boolean;
  /** Calls of {@link device}: the last one decides, however long the others take. */
  calls: number;
} = { inUse: { device: null, refused: [] }, gpu: null, inVain: false, calls: 0 };

/** @internal A device's name that may come from untyped code. */
export const checkDeviceName = (operation: string, name: unknown): DeviceName => {
  checkArgument(
    name === 'cpu' || name === 'gpu',
    operation,
    `${kindOf(name)} as the device`,
    "the devices are 'cpu' and 'gpu'",
    "Write 'gpu'; how it is reached is a mode: device('gpu', { mode: 'webgpu' }).",
  );
  return name as DeviceName;
};

const load = async (mode: DeviceMode): Promise<Attempt> => {
  try {
    const { openDevice } = await import('./backend/gpu/index.js');
    return await openDevice([mode]);
  } catch (error) {
    return { device: null, refused: [{ mode, reason: error instanceof Error ? error.message : String(error) }] };
  }
};

/** Opens a mode, once. What does not work is tried again the next time. */
const open = async (mode: DeviceMode): Promise<Attempt> => {
  const known = attempts.get(mode);
  // One that was lost is opened anew; its values are gone.
  const still = known === undefined || (await known).device?.lost() == null;
  if (known !== undefined && still) return known;
  const attempt = load(mode).then(result => {
    if (result.device === null) attempts.delete(mode);
    return result;
  });
  attempts.set(mode, attempt);
  return attempt;
};

const openFirst = async (candidates: readonly DeviceMode[]): Promise<Attempt> => {
  const refused: RefusedMode[] = [];
  for (const mode of candidates) {
    const attempt = await open(mode);
    refused.push(...attempt.refused);
    if (attempt.device !== null) return { device: attempt.device, refused };
  }
  return { device: null, refused };
};

const listed = (refused: readonly RefusedMode[]): string =>
  refused.map(({ mode, reason }) => `${mode}: ${reason}`).join('; ');

/** The best device, to keep values on; without one a warning. */
const openBest = async (): Promise<Attempt> => {
  const attempt = await openFirst(best);
  if (attempt.device === null) {
    chosen.inVain = true;
    globalThis.console.warn(`tenfold: no GPU can be used here, so the CPU computes. ${listed(attempt.refused)}`);
  }
  return attempt;
};

const keepOn = (opened: OpenDevice): void => {
  chosen.gpu = opened;
  chosen.inVain = false;
  setGpu(opened.backend);
};

const use = (attempt: Attempt): void => {
  chosen.inUse = attempt;
  if (attempt.device !== null) keepOn(attempt.device);
  computeBy(attempt.device?.backend ?? null);
};

/**
 * Chooses where everything is computed from then on. What is computed from values on the GPU is computed there in any case:
 * {@link toDevice} brings values from one to the other.
 *
 * For `'gpu'`, the best mode that works is opened, once: WebGPU, WebGL2, or headless GL in Node. This needs the optional
 * package `gpu.js`, and in Node `webgpu` or `gl`. Where none works, the CPU goes on computing: a warning on the console says
 * why, and {@link deviceInfo} too.
 *
 * Values on the GPU are read asynchronously: `await x.data()`, after which `x.item()` and the like work as well.
 *
 * @param options `mode` asks for one mode and no other; `cpu` and `webasm` run on the processor what is written for a GPU,
 *   to test it; `memory` bounds what values take on the GPU
 * @returns what is in use now, as {@link deviceInfo} tells
 * @throws ArgumentError when there is no such device or mode
 * @throws DeviceError when the mode asked for does not work here, saying why
 * @example
 * ```js
 * import { add, device, tensor } from 'tenfold';
 * const { mode } = await device('gpu', { mode: 'cpu' });
 * mode; // => 'cpu'
 * await add(tensor([1, 2]), 1).data(); // => [2, 3]
 * (await device('cpu')).mode; // => 'wasm'
 * await device('tpu'); // throws ArgumentError
 * ```
 */
export const device = async (name: DeviceName, options: DeviceOptions = {}): Promise<DeviceInfo> => {
  checkDeviceName('device', name);
  checkOptions('device', ['mode', 'memory'], options);
  const { mode, memory } = options;
  checkArgument(
    mode === undefined || (name === 'gpu' && modes.includes(mode)),
    'device',
    `${kindOf(mode)} as the mode of the ${name}`,
    name === 'gpu' ? `the modes of the GPU are ${modes.join(', ')}` : 'only the GPU has modes',
    'Leave it out for the best that works.',
  );
  checkArgument(
    memory === undefined || (name === 'gpu' && Number.isSafeInteger(memory) && memory >= leastMemory),
    'device',
    `${kindOf(memory)} as the memory of the ${name}`,
    name === 'gpu' ? `it is a whole number of bytes from ${leastMemory} (1 MiB) on` : 'only the GPU has such a bound',
    name === 'gpu' ? 'Write 4 * 2 ** 30 for 4 GiB.' : 'Use setMemoryLimit for that of the CPU.',
  );
  const call = ++chosen.calls;
  const attempt: Attempt =
    name === 'cpu' ? { device: null, refused: [] } : await (mode === undefined ? openBest() : openFirst([mode]));
  if (mode !== undefined && attempt.device === null) {
    throw new DeviceError({
      operation: 'device',
      given: `the mode ${mode}`,
      rule: `it does not work here (${listed(attempt.refused)})`,
      hint: "Leave the mode out for the best that works: await device('gpu').",
    });
  }
  if (memory !== undefined) attempt.device?.setBudget(memory);
  if (call === chosen.calls) use(attempt);
  return deviceInfo();
};

/** What is known of the memory of the CPU backend. */
const cpuMemory = (): DeviceMemory => {
  const { residentBytes, residentValues, copiedOutBytes } = residency().stats;
  const none = { readbacks: 0, readbackBytes: 0, uploads: 0, uploadedBytes: 0, launches: 0, compiled: 0 };
  return { residentBytes, residentValues, spilledBytes: copiedOutBytes, ...none };
};

/**
 * The device in use now: how it is reached, what it is, what better was refused and why, and how much is on it.
 *
 * @returns a frozen record
 * @example
 * ```js
 * import { device, deviceInfo } from 'tenfold';
 * await device('cpu');
 * const info = deviceInfo();
 * [info.device, info.mode, info.refused]; // => ['cpu', 'wasm', []]
 * ```
 */
export const deviceInfo = (): DeviceInfo => {
  const { device: opened, refused } = chosen.inUse;
  return Object.freeze({
    device: opened === null ? 'cpu' : 'gpu',
    mode: opened === null ? 'wasm' : opened.mode,
    adapter: opened === null ? 'WebAssembly' : opened.adapter,
    limits: Object.freeze({ ...opened?.limits }),
    refused: Object.freeze(refused.map(each => Object.freeze({ ...each }))),
    memory: Object.freeze(opened === null ? cpuMemory() : opened.stats()),
  });
};

/** Refuses a tensor that a derivative or a trace follows: a moved one is another tensor, of which neither would know. */
const checkMovable = (node: Node): void => {
  const scope = node.scopes.find(each => each.open);
  if (scope === undefined) return;
  throw new TraceError({
    operation: 'toDevice',
    given: `${showAval(node)} inside the function of ${scope.name}`,
    rule: 'what is moved is a new tensor, which has nothing to do with the argument any more',
    hint: `Move the arguments before: ${scope.name}(f)(await toDevice(x, 'gpu')).`,
  });
};

const moveTo = async (opened: OpenDevice | null, value: Storage): Promise<Storage> => {
  if (opened !== null) return opened.put(value);
  return value.device === 'gpu' ? new HostStorage(value.dtype, await value.read()) : value;
};

/**
 * The same tree with the values of its tensors on another device; they are computed if need be. float64 stays where it is,
 * which no GPU computes with.
 *
 * What is computed from values on the GPU is computed there, whatever {@link device} is in use. A GPU is opened as by
 * `device('gpu')` if none is yet; where none works, everything stays, with a warning.
 *
 * @param tree tensors, or arrays and records of them; other leaves stay as they are
 * @returns the tree, frozen; settles when the values are there
 * @throws ArgumentError when there is no such device
 * @throws TraceError for a tensor that is being traced or differentiated
 * @throws TreeError for a tree that contains itself
 * @throws DeviceError when a value cannot be read
 * @example
 * ```js
 * import { mul, tensor, toDevice } from 'tenfold';
 * const { w, rate } = await toDevice({ w: tensor([1, 2]), rate: 0.1 }, 'cpu');
 * mul(w, rate).toArray()[1]; // => 0.20000000298023224
 * ```
 */
export const toDevice = async <T>(tree: T, name: DeviceName): Promise<T> => {
  checkDeviceName('toDevice', name);
  const { leaves, unflatten } = flattenFor('toDevice', tree);
  const nodes = new Map<Tensor, Node>();
  for (const leaf of leaves) if (isTensor(leaf)) nodes.set(leaf, resolve(nodeOf(leaf)));
  for (const node of nodes.values()) checkMovable(node);
  if (name === 'gpu' && chosen.gpu === null && !chosen.inVain) {
    const { device: opened } = await openBest();
    if (opened !== null) keepOn(opened);
  }
  const opened = name === 'gpu' ? chosen.gpu : null;
  computingBy(opened?.backend ?? null, () => evaluate([...nodes.values()]));
  const values = new Map<Storage, Promise<Storage>>();
  for (const { value } of nodes.values()) {
    if (!values.has(value as Storage)) values.set(value as Storage, moveTo(opened, value as Storage));
  }
  await Promise.all(values.values());
  const moved = leaves.map(async leaf => {
    if (!isTensor(leaf)) return leaf;
    const { shape, value } = nodes.get(leaf)!;
    const there = await values.get(value as Storage)!;
    return there === value ? leaf : wrap(bufferNode(shape, there));
  });
  return unflatten(await Promise.all(moved)) as T;
};

/**
 * @internal The backend for a program that is to run on a device, whichever is in use.
 *
 * @throws DeviceError when there is none yet, or it cannot have the values
 */
export const backendAt = (operation: string, name: DeviceName, values: readonly Storage[]): Backend => {
  if (name === 'gpu') {
    if (chosen.gpu !== null) return chosen.gpu.backend;
    // The warning that nothing works has been given.
    if (chosen.inVain) return wasmBackend;
    throw new DeviceError({
      operation,
      given: "device: 'gpu' before a GPU was opened",
      rule: 'opening one takes time, which a program cannot wait for',
      hint: "Open it first: await device('gpu').",
    });
  }
  const away = values.find(value => value.device === 'gpu');
  if (away === undefined) return wasmBackend;
  throw new DeviceError({
    operation,
    given: `device: 'cpu' and a ${away.dtype} tensor of ${away.size} elements that is on the gpu`,
    rule: 'reading it takes time, which a program cannot wait for',
    hint: "Move it first: await toDevice(x, 'cpu').",
  });
};
